// What a heap holds, counted.

internal import StillpointPlatform

/// What the heap of an interpreter holds: one moment's figures, all counted, none estimated.
public struct HeapStatistics: Equatable, Sendable {
    /// Address space held.
    public var reservedBytes = 0
    /// Of that, what may have memory behind it: pages, free slices whose memory was not given back, and slice 0 of
    /// each segment.
    public var committedBytes = 0
    public var segmentCount = 0
    /// Pages of any kind that hold an object, and have an owner or are a large block's.
    public var pagesInUse = 0
    /// Pages that hold an object and have neither.
    public var pagesAbandoned = 0
    /// Pages that hold no object.
    public var pagesEmpty = 0
    /// Blocks that hold an object, and their size, which is their class's.
    public var liveBlockCount = 0
    public var liveBytes = 0
}

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// Counts what the heap holds, block by block. World stopped.
    public func statistics() -> HeapStatistics {
        var result = HeapStatistics()
        unsafe locked {
            result.reservedBytes = unsafe pointee.reservedByteCount.load(ordering: .relaxed)  // [mutex]
            result.segmentCount = unsafe pointee.segmentCount
            result.committedBytes = unsafe pointee.hugeByteCount + SegmentLayout.sliceByteCount
                * (pointee.usedSliceCount + pointee.dirtySliceCount + pointee.segmentCount)
        }
        unsafe visitPages { page in
            var count = 0
            unsafe page.visitBlocks { _ in count += 1 }
            result.liveBlockCount += count
            unsafe result.liveBytes += count * page.pointee.blockByteCount
            if count == 0 {
                result.pagesEmpty += 1
            } else if unsafe page.isOwned || page.isSingle {
                result.pagesInUse += 1
            } else {
                result.pagesAbandoned += 1
            }
            return true
        }
        return result
    }

    /// Address space held, in bytes. Any thread.
    public var reservedBytes: Int {
        unsafe pointee.reservedByteCount.load(ordering: .relaxed)  // for statistics
    }
}
