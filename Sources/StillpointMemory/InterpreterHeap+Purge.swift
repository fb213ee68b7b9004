// Memory back to the operating system. Slices that are given back keep their memory for a while, since they are likely
// to be taken again; what is free beyond a bound goes back at once, the rest when somebody asks.

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// How much free memory is kept for the next pages: an eighth of what is in use, a segment at least.
    var keptByteCount: Int {
        unsafe max(SegmentLayout.byteCount, pointee.usedSliceCount * SegmentLayout.sliceByteCount / 8)
    }

    /// Whether so much is free that some should go back. Mutex held.
    var hasMuchToPurge: Bool {
        unsafe pointee.emptySegmentCount > 1
            || pointee.dirtySliceCount * SegmentLayout.sliceByteCount > keptByteCount
    }

    /// Gives free memory back to the operating system, all but `keptByteCount` bytes of it: empty segments (one is
    /// kept, unless nothing is to be kept) and the memory of free slices. Pages that are empty but not given
    /// back yet are those of `collectCrossThreadFrees` or `purgeStopped`. An attached thread, or the stopper (H4).
    public func purge(keepingByteCount keptByteCount: Int = 0) {
        unsafe releaseEmptySegments(keeping: keptByteCount > 0 ? 1 : 0)
        var next: UnsafeMutablePointer<Segment>? = nil
        var isFirst = true
        while true {
            // The segment of the turn before stays in the list: its slices are held until the end of this step.
            unsafe pointee.mutex.lock()
            unsafe next = unsafe isFirst ? pointee.firstSegment : next?.pointee.next
            isFirst = false
            while let here = unsafe next, unsafe here.pointee.dirtySlices == 0 {
                unsafe next = here.pointee.next
            }
            guard let segment = unsafe next,
                unsafe pointee.dirtySliceCount * SegmentLayout.sliceByteCount > keptByteCount
            else { return unsafe pointee.mutex.unlock() }
            let dirty = unsafe segment.pointee.dirtySlices
            unsafe claim(dirty, in: segment)
            unsafe pointee.mutex.unlock()

            unsafe segment.discard(dirty)

            unsafe locked { unsafe giveBack(dirty, in: segment, isDirty: false) }
        }
    }

    /// Unmaps segments without pages.
    private func releaseEmptySegments(keeping keptCount: Int) {
        var released: UnsafeMutablePointer<Segment>? = nil
        unsafe pointee.mutex.lock()
        var segment = unsafe pointee.firstSegment
        while let here = unsafe segment {
            unsafe segment = here.pointee.next
            let isReleased = unsafe here.isHuge
                ? here.pointee.pageStarts == 0
                : here.isEmpty && pointee.emptySegmentCount > keptCount
            if isReleased {
                unsafe remove(here)
                unsafe here.pointee.next = released
                unsafe released = here
            }
        }
        unsafe pointee.mutex.unlock()
        while let here = unsafe released {
            unsafe released = here.pointee.next
            unsafe here.unmap()
        }
    }
}

extension UnsafeMutablePointer where Pointee == Segment {
    /// Gives the memory of `slices`, which the caller holds, back.
    fileprivate func discard(_ slices: UInt64) {
        var left = slices
        while let (index, count) = SliceSet.takeRun(from: &left) {
            unsafe AddressSpace.discard(slice(index), byteCount: count * SegmentLayout.sliceByteCount)
        }
    }
}
