// A segment: 4 MiB of address space, aligned to its size, of one interpreter. It is cut into 64 slices of 64 KiB.
//
//   slice 0    0 KiB   the segment's own record, where the record of page 0 would be
//                      the records of the pages that begin in slices 1 ... 63, 128 bytes each
//             32 KiB   mark bits: one for each 16 bytes of the segment
//   slice 1 ... 63     pages of one slice with blocks of one size, or spans of slices with one block
//
// The record of a page, and its mark bits, are found from a block's address by masks and shifts alone. They do not
// stand in the page itself: there the records of all pages would fall into the same few sets of the cache.
// An object that no 16 slices hold has a segment for itself, as large as need be, with its block at slice 1.
//
// S1  Every slice but slice 0 is free, or part of one page, or held by one thread that is discarding its memory.
// S2  A segment is in its interpreter's list from the moment it is mapped; in the list of those with space exactly
//     while it has a free slice; a huge segment has none.
// S3  A slice that is free and not in `dirtySlices` has no memory behind it.
//
// Source of the idea: mimalloc's segments and slices; here they belong to an interpreter, never to a thread, so that
// one walk over them meets every page, owned or abandoned.

internal import StillpointPlatform

/// The measures of a segment.
@usableFromInline
enum SegmentLayout {
    /// The size of a segment that is not huge, and the alignment of all.
    @inlinable static var byteCount: Int { 4 << 20 }
    static var sliceByteCount: Int { 64 << 10 }
    /// The most slices that a page may span.
    static var largestSpan: Int { 16 }
    /// Where the mark bits begin.
    @inlinable static var markBitsOffset: Int { 32 << 10 }
    /// Every slice but slice 0.
    static var allSlices: UInt64 { ~1 }
}

/// The record at the start of a segment.
@unsafe
public struct Segment: ~Copyable {
    /// One bit a slice, each guarded by the interpreter heap's mutex: free; free and perhaps backed by memory;
    /// the first of a page.
    var freeSlices: UInt64
    var dirtySlices: UInt64
    var pageStarts: UInt64
    /// Immutable. Not first: Swift tells ThreadSanitizer of a change of any field as one at the address of the whole.
    let interpreterHeap: UnsafeMutablePointer<InterpreterHeap>
    /// What is mapped, slice 0 included. Immutable.
    let byteCount: Int
    /// Neighbours in address order. Guarded by the interpreter heap's mutex.
    var next: UnsafeMutablePointer<Segment>?
    var previous: UnsafeMutablePointer<Segment>?
    /// Neighbours among the segments that have a free slice. Guarded by the interpreter heap's mutex.
    var nextWithSpace: UnsafeMutablePointer<Segment>?
    var previousWithSpace: UnsafeMutablePointer<Segment>?

    init(of heap: UnsafeMutablePointer<InterpreterHeap>, byteCount: Int) {
        unsafe interpreterHeap = unsafe heap
        unsafe self.byteCount = byteCount
        unsafe next = nil
        unsafe previous = nil
        unsafe nextWithSpace = nil
        unsafe previousWithSpace = nil
        unsafe freeSlices = byteCount == SegmentLayout.byteCount ? SegmentLayout.allSlices : 0
        unsafe dirtySlices = 0
        unsafe pageStarts = 0
    }

    /// The segment that the block at `block` lies in; `block` is the block's first byte.
    @inlinable @inline(__always)
    public static func containing(_ block: UnsafeRawPointer) -> UnsafeMutablePointer<Segment> {
        let base = UInt(bitPattern: block) & ~UInt(SegmentLayout.byteCount &- 1)
        return unsafe UnsafeMutablePointer(bitPattern: base).unsafelyUnwrapped
    }
}

extension UnsafeMutablePointer where Pointee == Segment {
    var isHuge: Bool { unsafe pointee.byteCount != SegmentLayout.byteCount }
    /// No page in it, and nobody is at its slices.
    var isEmpty: Bool { unsafe pointee.freeSlices == SegmentLayout.allSlices }

    func slice(_ index: Int) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(self) + index * SegmentLayout.sliceByteCount
    }

    /// The record of the page that begins, or would begin, at slice `index`.
    func page(_ index: Int) -> UnsafeMutablePointer<Page> {
        unsafe (UnsafeMutableRawPointer(self) + index * Page.recordByteCount)
            .assumingMemoryBound(to: Page.self)
    }
}

// MARK: Sets of slices

enum SliceSet {
    /// `count` (1 ... 63) slices from `index` on.
    static func span(at index: Int, count: Int) -> UInt64 {
        ((1 &<< UInt64(count)) &- 1) &<< UInt64(index)
    }

    /// The lowest index at which `count` slices in a row are in `set`.
    static func firstSpan(of count: Int, in set: UInt64) -> Int? {
        // After each step bit i says that `length` slices from i on are in the set.
        var starts = set
        var length = 1
        while length < count {
            let step = min(length, count - length)
            starts &= starts &>> UInt64(step)
            length += step
        }
        return starts == 0 ? nil : starts.trailingZeroBitCount
    }

    /// Takes the lowest run of neighbours out of `set`.
    static func takeRun(from set: inout UInt64) -> (index: Int, count: Int)? {
        guard set != 0 else { return nil }
        let index = set.trailingZeroBitCount
        let count = (~(set &>> UInt64(index))).trailingZeroBitCount
        set &= ~span(at: index, count: count)
        return (index, count)
    }
}
