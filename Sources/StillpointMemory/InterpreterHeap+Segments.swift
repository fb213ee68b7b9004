// Segments and their slices: mapping, unmapping, taking spans of slices and giving them back.
// Everything but `mapSegment` and `unmap` is called with the interpreter heap's mutex held.

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// A segment of `byteCount` bytes, in no list yet; nil: no memory. Without the mutex: this makes system calls.
    func mapSegment(byteCount: Int) -> UnsafeMutablePointer<Segment>? {
        do {
            let memory = try unsafe AddressSpace.reserve(
                byteCount: byteCount, alignment: SegmentLayout.byteCount)
            do {
                try unsafe AddressSpace.commit(memory, byteCount: byteCount)
            } catch {
                unsafe AddressSpace.release(memory, byteCount: byteCount)
                return nil
            }
            let segment = unsafe memory.bindMemory(to: Segment.self, capacity: 1)
            unsafe segment.initialize(to: Segment(of: self, byteCount: byteCount))
            return unsafe segment
        } catch {
            return nil
        }
    }

    func insert(_ segment: UnsafeMutablePointer<Segment>) {
        var before: UnsafeMutablePointer<Segment>? = nil
        var after = unsafe pointee.firstSegment
        while let here = unsafe after, unsafe here < segment {
            unsafe before = here
            unsafe after = here.pointee.next
        }
        unsafe segment.pointee.previous = before
        unsafe segment.pointee.next = after
        unsafe after?.pointee.previous = segment
        if let before = unsafe before {
            unsafe before.pointee.next = segment
        } else {
            unsafe pointee.firstSegment = segment
        }
        unsafe pointee.segmentCount += 1
        unsafe pointee.reservedByteCount.wrappingAdd(
            segment.pointee.byteCount, ordering: .relaxed)  // for statistics
        if unsafe segment.isHuge {
            unsafe pointee.hugeByteCount += segment.pointee.byteCount - SegmentLayout.sliceByteCount
        } else {
            unsafe pointee.emptySegmentCount += 1
            unsafe linkWithSpace(segment, first: false)
        }
    }

    /// Takes a segment without pages out of the lists. The caller unmaps it, without the mutex.
    func remove(_ segment: UnsafeMutablePointer<Segment>) {
        unsafe assert(segment.pointee.pageStarts == 0)
        let (next, previous) = unsafe (segment.pointee.next, segment.pointee.previous)
        unsafe next?.pointee.previous = previous
        if let previous = unsafe previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe pointee.firstSegment = next
        }
        unsafe pointee.segmentCount -= 1
        unsafe pointee.reservedByteCount.wrappingSubtract(
            segment.pointee.byteCount, ordering: .relaxed)  // for statistics
        if unsafe segment.isHuge {
            unsafe pointee.hugeByteCount -= segment.pointee.byteCount - SegmentLayout.sliceByteCount
        } else {
            unsafe assert(segment.isEmpty)
            unsafe pointee.emptySegmentCount -= 1
            unsafe pointee.dirtySliceCount -= segment.pointee.dirtySlices.nonzeroBitCount
            unsafe unlinkWithSpace(segment)
        }
    }

    // MARK: Slices

    /// Takes `count` slices in a row, from a segment that is partly used if one has them.
    func takeSlices(_ count: Int) -> (segment: UnsafeMutablePointer<Segment>, index: Int)? {
        var segment = unsafe pointee.firstWithSpace
        while let here = unsafe segment {
            if let index = unsafe SliceSet.firstSpan(of: count, in: here.pointee.freeSlices) {
                unsafe claim(SliceSet.span(at: index, count: count), in: here)
                return unsafe (here, index)
            }
            unsafe segment = here.pointee.nextWithSpace
        }
        return nil
    }

    /// Takes free slices: they are the caller's.
    func claim(_ slices: UInt64, in segment: UnsafeMutablePointer<Segment>) {
        unsafe assert(segment.pointee.freeSlices & slices == slices)
        if unsafe segment.isEmpty { unsafe pointee.emptySegmentCount -= 1 }
        let dirty = unsafe segment.pointee.dirtySlices & slices
        unsafe pointee.dirtySliceCount -= dirty.nonzeroBitCount
        unsafe pointee.usedSliceCount += slices.nonzeroBitCount
        unsafe segment.pointee.dirtySlices &= ~slices
        unsafe segment.pointee.freeSlices &= ~slices
        if unsafe segment.pointee.freeSlices == 0 { unsafe unlinkWithSpace(segment) }
    }

    /// Takes slices back. `isDirty`: memory is behind them, perhaps.
    func giveBack(_ slices: UInt64, in segment: UnsafeMutablePointer<Segment>, isDirty: Bool) {
        unsafe assert(segment.pointee.freeSlices & slices == 0 && slices & 1 == 0)
        let hadSpace = unsafe segment.pointee.freeSlices != 0
        unsafe segment.pointee.freeSlices |= slices
        unsafe pointee.usedSliceCount -= slices.nonzeroBitCount
        if isDirty {
            unsafe segment.pointee.dirtySlices |= slices
            unsafe pointee.dirtySliceCount += slices.nonzeroBitCount
        }
        if unsafe segment.isEmpty {
            unsafe pointee.emptySegmentCount += 1
            if hadSpace { unsafe unlinkWithSpace(segment) }
            unsafe linkWithSpace(segment, first: false)
        } else if !hadSpace {
            unsafe linkWithSpace(segment, first: true)
        }
    }

    // MARK: The list of segments with a free slice

    private func linkWithSpace(_ segment: UnsafeMutablePointer<Segment>, first: Bool) {
        let neighbour = unsafe first ? pointee.firstWithSpace : pointee.lastWithSpace
        unsafe segment.pointee.nextWithSpace = first ? neighbour : nil
        unsafe segment.pointee.previousWithSpace = first ? nil : neighbour
        if let neighbour = unsafe neighbour {
            if first {
                unsafe neighbour.pointee.previousWithSpace = segment
                unsafe pointee.firstWithSpace = segment
            } else {
                unsafe neighbour.pointee.nextWithSpace = segment
                unsafe pointee.lastWithSpace = segment
            }
        } else {
            unsafe pointee.firstWithSpace = segment
            unsafe pointee.lastWithSpace = segment
        }
    }

    private func unlinkWithSpace(_ segment: UnsafeMutablePointer<Segment>) {
        let (next, previous) = unsafe (segment.pointee.nextWithSpace, segment.pointee.previousWithSpace)
        if let next = unsafe next {
            unsafe next.pointee.previousWithSpace = previous
        } else {
            unsafe pointee.lastWithSpace = previous
        }
        if let previous = unsafe previous {
            unsafe previous.pointee.nextWithSpace = next
        } else {
            unsafe pointee.firstWithSpace = next
        }
        unsafe segment.pointee.nextWithSpace = nil
        unsafe segment.pointee.previousWithSpace = nil
    }
}

extension UnsafeMutablePointer where Pointee == Segment {
    /// Gives the segment's address space back. Nobody else knows of it any more.
    func unmap() {
        let byteCount = unsafe pointee.byteCount
        unsafe UnsafeMutableRawPointer(self).unpoison(byteCount: byteCount)
        unsafe deinitialize(count: 1)
        unsafe AddressSpace.release(UnsafeMutableRawPointer(self), byteCount: byteCount)
    }
}
