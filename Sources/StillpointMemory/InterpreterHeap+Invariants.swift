// The invariants of segments, pages and heaps, checked one by one: S in Segment.swift, P in Page.swift, H in
// InterpreterHeap.swift.

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// Traps where an invariant of this heap, its segments or its pages does not hold. World stopped.
    public func checkInvariants() {
        var (segmentCount, emptyCount, usedCount, dirtyCount) = (0, 0, 0, 0)
        var segment = unsafe pointee.firstSegment
        while let here = unsafe segment {
            unsafe require(here.pointee.next == nil || here < here.pointee.next!, "address order")
            unsafe check(here)
            segmentCount += 1
            if unsafe !here.isHuge {
                emptyCount += unsafe here.isEmpty ? 1 : 0
                usedCount += unsafe 63 - here.pointee.freeSlices.nonzeroBitCount
                dirtyCount += unsafe here.pointee.dirtySlices.nonzeroBitCount
            }
            unsafe segment = here.pointee.next
        }
        unsafe require(segmentCount == pointee.segmentCount, "S2")
        unsafe require(emptyCount == pointee.emptySegmentCount, "H2")
        unsafe require(usedCount == pointee.usedSliceCount, "H2")
        unsafe require(dirtyCount == pointee.dirtySliceCount, "H2")
        unsafe checkWithSpace()

        var (abandonedCount, freedCount) = (0, 0)
        unsafe visitPages { page in
            unsafe page.check(in: self)
            abandonedCount += unsafe page.pointee.state == .abandoned ? 1 : 0
            freedCount += unsafe page.pointee.state == .freedSingle ? 1 : 0
            return true
        }
        for index in 0..<SizeClass.count {
            unsafe pointee.abandoned[index].forEach { page in
                unsafe require(page.pointee.state == .abandoned && page.pointee.classIndex == index, "H1")
                abandonedCount -= 1
            }
        }
        unsafe pointee.freedSingles.forEach { page in
            unsafe require(page.pointee.state == .freedSingle, "H1")
            freedCount -= 1
        }
        require(abandonedCount == 0 && freedCount == 0, "H1")
    }

    /// S1, S3.
    private func check(_ segment: UnsafeMutablePointer<Segment>) {
        unsafe require(segment.pointee.interpreterHeap == self, "a segment of another interpreter")
        unsafe require(segment.pointee.dirtySlices & ~segment.pointee.freeSlices == 0, "S3")
        guard unsafe !segment.isHuge else {
            return unsafe require(segment.pointee.freeSlices == 0, "S2")
        }
        var slices = unsafe segment.pointee.freeSlices
        var starts = unsafe segment.pointee.pageStarts
        while starts != 0 {
            let index = starts.trailingZeroBitCount
            starts &= starts - 1
            let count = unsafe Int(segment.page(index).pointee.sliceCount)
            let span = SliceSet.span(at: index, count: count)
            require(slices & span == 0, "S1")
            slices |= span
        }
        require(slices == SegmentLayout.allSlices, "S1")
    }

    /// S2.
    private func checkWithSpace() {
        var expected = 0
        var segment = unsafe pointee.firstSegment
        while let here = unsafe segment {
            expected += unsafe here.pointee.freeSlices != 0 ? 1 : 0
            unsafe segment = here.pointee.next
        }
        unsafe segment = pointee.firstWithSpace
        while let here = unsafe segment {
            unsafe require(here.pointee.freeSlices != 0, "S2")
            expected -= 1
            unsafe segment = here.pointee.nextWithSpace
        }
        require(expected == 0, "S2")
    }
}

extension UnsafeMutablePointer where Pointee == ThreadHeap {
    /// Traps where an invariant of this heap does not hold. World stopped. Its pages are checked with those of the
    /// interpreter heap; here it is that each is where its state says.
    public func checkInvariants() {
        var count = 0
        for index in 0..<SizeClass.count {
            let current = unsafe pointee.current[index]
            if unsafe current != pointee.interpreterHeap.absentPage {
                unsafe check(current, is: .current, index)
                count += 1
            }
            if let kept = unsafe pointee.classes[index].kept {
                unsafe check(kept, is: .kept, index)
                unsafe require(kept.isEmpty, "a kept page is empty")
                count += 1
            }
            unsafe pointee.classes[index].available.forEach { page in
                unsafe check(page, is: .available, index)
                count += 1
            }
            unsafe pointee.classes[index].full.forEach { page in
                unsafe check(page, is: .full, index)
                count += 1
            }
        }
        unsafe pointee.interpreterHeap.visitPages { page in
            // [stop]
            count -= unsafe page.pointee.owner.load(ordering: .relaxed) == UInt(bitPattern: self) ? 1 : 0
            return true
        }
        require(count == 0, "H1")
    }

    private func check(_ page: UnsafeMutablePointer<Page>, is state: PageState, _ index: Int) {
        unsafe require(page.pointee.state == state, "H1")
        unsafe require(page.pointee.classIndex == index, "H1")
        unsafe require(page.pointee.owner.load(ordering: .relaxed) == UInt(bitPattern: self), "P5")  // [stop]
    }
}

extension UnsafeMutablePointer where Pointee == Page {
    /// P1 to P4.
    fileprivate func check(in heap: UnsafeMutablePointer<InterpreterHeap>) {
        unsafe require(pointee.linkedCount <= pointee.blockCount, "P3")
        let allocatable = unsafe checkList(pointee.freeList)
        let freed = unsafe checkList(pointee.localFreeList)
        let remote = unsafe checkList(
            UnsafeMutableRawPointer(
                bitPattern: pointee.crossThreadFreeList.load(ordering: .acquiring)))  // [remote free]
        unsafe require(Int(pointee.unfreedCount) == Int(pointee.linkedCount) - freed, "P1")
        unsafe require(allocatable + remote <= Int(pointee.unfreedCount), "P1")
        unsafe require(allocatable == 0 || pointee.state == .current, "P2")
        var liveCount = 0
        unsafe visitBlocks { _ in liveCount += 1 }
        unsafe require(liveCount + allocatable + freed + remote <= Int(pointee.linkedCount), "P3")
        let notice = unsafe pointee.noticeAt
        switch unsafe pointee.state {
        case .full: require(notice == Notice.always, "P4")
        case .available: require(notice == 0 && freed > 0, "P2, P4")
        default: require(notice == Notice.never, "P4")
        }
        let isOwned = unsafe pointee.owner.load(ordering: .relaxed) != 0  // [stop]
        switch unsafe pointee.state {
        case .abandoned, .single, .freedSingle: require(!isOwned, "P5")
        default: require(isOwned, "P5")
        }
    }

    /// The length of a list of free blocks of this page.
    private func checkList(_ head: UnsafeMutableRawPointer?) -> Int {
        var count = 0
        var block = unsafe head
        while let here = unsafe block {
            unsafe require(Page.containing(here) == self, "a block of another page")
            unsafe require((here - firstBlock) % pointee.blockByteCount == 0, "not a block's first byte")
            unsafe require(!BlockHeader.isLive(here), "P3")
            // relaxed [stop]
            let shared = unsafe BlockHeader.of(here).pointee.shared.load(ordering: .relaxed)
            require(shared == BlockHeader.freeShared, "P3")
            count += 1
            unsafe require(count <= Int(pointee.linkedCount), "a cycle")
            unsafe block = BlockHeader.readLink(here)
        }
        return count
    }
}
