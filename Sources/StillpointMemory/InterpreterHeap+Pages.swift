// What thread states' heaps get from their interpreter's, and give back: pages of a class, and pages of one large
// block.

internal import StillpointPlatform

// MARK: Pages of a class

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// A page with space that `heap` owns from now on: one that was abandoned, or a new one. Nil: no memory.
    func takePage(
        of sizeClass: SizeClass, for heap: UnsafeMutablePointer<ThreadHeap>
    ) -> UnsafeMutablePointer<Page>? {
        let found: UnsafeMutablePointer<Page>? = unsafe locked {
            if let page = unsafe adoptPage(sizeClass) { return unsafe page }
            return unsafe makePage(span: 1) { unsafe $0.initialize(to: Page(of: sizeClass)) }
        }
        var page = unsafe found
        if unsafe page == nil {
            unsafe page = unsafe makePageInNewSegment(span: 1) { unsafe $0.initialize(to: Page(of: sizeClass)) }
        }
        unsafe page?.pointee.owner.store(UInt(bitPattern: heap), ordering: .relaxed)  // P5
        return unsafe page
    }

    /// Takes an abandoned page that has space. Mutex held.
    private func adoptPage(_ sizeClass: SizeClass) -> UnsafeMutablePointer<Page>? {
        let index = sizeClass.index
        var left = HeapLimits.abandonedPagesLookedAt
        while left > 0, let page = unsafe pointee.abandoned[index].first {
            if unsafe page.hasSpace {
                unsafe pointee.abandoned[index].remove(page)
                return unsafe page
            }
            unsafe pointee.abandoned[index].rotate()
            left -= 1
        }
        return nil
    }

    /// Files a page that its owner has given up. Any thread without the mutex.
    func fileAbandoned(_ page: UnsafeMutablePointer<Page>) {
        let isReturned = unsafe page.isEmpty && pointee.pageReturn == .atOnce
        let hasMuch = unsafe locked {
            if isReturned {
                unsafe giveBack(page)
                return unsafe hasMuchToPurge
            }
            unsafe page.pointee.state = .abandoned
            unsafe pointee.abandoned[page.pointee.classIndex].append(page)
            return false
        }
        if hasMuch { unsafe purge(keepingByteCount: keptByteCount) }
    }

    // MARK: Pages of one block

    /// A page whose block holds `byteCount` bytes. Nil: no memory.
    func takeSingle(byteCount: Int) -> UnsafeMutablePointer<Page>? {
        guard byteCount <= .max / 2 else { return nil }
        let sliceCount = (byteCount + SegmentLayout.sliceByteCount - 1) / SegmentLayout.sliceByteCount
        guard sliceCount <= SegmentLayout.largestSpan else { return unsafe takeHuge(byteCount: byteCount) }
        let blockByteCount = sliceCount * SegmentLayout.sliceByteCount
        let found: UnsafeMutablePointer<Page>? = unsafe locked {
            if let page = unsafe reuseSingle(sliceCount: sliceCount) { return unsafe page }
            return unsafe makePage(span: sliceCount) {
                unsafe $0.initialize(
                    to: Page(singleBlockByteCount: blockByteCount, sliceCount: sliceCount))
            }
        }
        var page = unsafe found
        if unsafe page == nil {
            unsafe page = unsafe makePageInNewSegment(span: sliceCount) {
                unsafe $0.initialize(
                    to: Page(singleBlockByteCount: blockByteCount, sliceCount: sliceCount))
            }
        }
        if let page = unsafe page { unsafe page.handOutSingle() }
        return unsafe page
    }

    /// A page in a segment of its own.
    private func takeHuge(byteCount: Int) -> UnsafeMutablePointer<Page>? {
        let mask = AddressSpace.pageByteCount - 1
        let blockByteCount = (byteCount + mask) & ~mask
        guard let segment = unsafe mapSegment(byteCount: SegmentLayout.sliceByteCount + blockByteCount) else {
            return nil
        }
        let page = unsafe segment.page(1)
        unsafe page.initialize(to: Page(singleBlockByteCount: blockByteCount, sliceCount: 1))
        unsafe page.handOutSingle()
        unsafe segment.pointee.pageStarts = SliceSet.span(at: 1, count: 1)
        unsafe locked { unsafe insert(segment) }
        return unsafe page
    }

    /// Takes a freed page of one block that has just `sliceCount` slices. Its header stays one. Mutex held.
    private func reuseSingle(sliceCount: Int) -> UnsafeMutablePointer<Page>? {
        var left = HeapLimits.abandonedPagesLookedAt
        while left > 0, let page = unsafe pointee.freedSingles.first {
            if unsafe Int(page.pointee.sliceCount) == sliceCount, unsafe !page.segment.isHuge {
                unsafe pointee.freedSingles.remove(page)
                unsafe page.pointee.state = .single
                unsafe page.pointee.linkedCount = 1
                unsafe page.pointee.unfreedCount = 1
                return unsafe page
            }
            unsafe pointee.freedSingles.rotate()
            left -= 1
        }
        return nil
    }

    /// Frees the block of a page of one block. Any thread that a stop would wait for, or the stopper.
    func freeSingle(_ page: UnsafeMutablePointer<Page>) {
        unsafe assert(page.pointee.state == .single)
        unsafe BlockHeader.writeFree(page.firstBlock, next: nil)
        unsafe page.firstBlock.poisonBody(of: page)
        let segment = unsafe page.segment
        let isUnmapped = unsafe segment.isHuge && pointee.pageReturn == .atOnce
        let hasMuch = unsafe locked {
            unsafe page.pointee.linkedCount = 0
            unsafe page.pointee.unfreedCount = 0
            if unsafe pointee.pageReturn == .whenStopped {
                unsafe page.pointee.state = .freedSingle
                unsafe pointee.freedSingles.append(page)
                return false
            }
            unsafe giveBack(page)
            if isUnmapped { unsafe remove(segment) }
            return unsafe hasMuchToPurge
        }
        if isUnmapped { unsafe segment.unmap() }
        if hasMuch { unsafe purge(keepingByteCount: keptByteCount) }
    }

    // MARK: Making and unmaking

    /// A page in slices of a segment that has them. `initialize` makes its record. Mutex held.
    private func makePage(
        span: Int, _ initialize: (UnsafeMutablePointer<Page>) -> Void
    ) -> UnsafeMutablePointer<Page>? {
        guard let (segment, index) = unsafe takeSlices(span) else { return nil }
        let page = unsafe segment.page(index)
        unsafe initialize(page)
        unsafe segment.pointee.pageStarts |= SliceSet.span(at: index, count: 1)
        return unsafe page
    }

    /// Maps a segment, without the mutex, then makes a page: in it, or in whatever else has space by then.
    private func makePageInNewSegment(
        span: Int, _ initialize: (UnsafeMutablePointer<Page>) -> Void
    ) -> UnsafeMutablePointer<Page>? {
        guard let segment = unsafe mapSegment(byteCount: SegmentLayout.byteCount) else { return nil }
        return unsafe locked {
            unsafe insert(segment)
            return unsafe makePage(span: span, initialize)
        }
    }

    /// Takes the slices of an empty page, in no list, back. A huge segment stays mapped, without a page. Mutex held.
    func giveBack(_ page: UnsafeMutablePointer<Page>) {
        unsafe assert(page.isEmpty && page.pointee.next == nil && page.pointee.collectorData == nil)
        let segment = unsafe page.segment
        let index = unsafe page.sliceIndex
        let count = unsafe Int(page.pointee.sliceCount)
        unsafe MarkBits.clear(page)
        unsafe page.firstBlock.unpoison(
            byteCount: page.isSingle ? page.pointee.blockByteCount : SegmentLayout.sliceByteCount)
        unsafe segment.pointee.pageStarts &= ~SliceSet.span(at: index, count: 1)
        unsafe page.deinitialize(count: 1)
        guard unsafe !segment.isHuge else { return }
        unsafe giveBack(SliceSet.span(at: index, count: count), in: segment, isDirty: true)
    }
}

extension UnsafeMutablePointer where Pointee == Page {
    /// Makes the page's one block look like one that has just been handed out.
    fileprivate func handOutSingle() {
        let block = unsafe firstBlock
        unsafe block.unpoison(byteCount: pointee.blockByteCount)
        unsafe BlockHeader.writeFree(block, next: nil)
    }
}
