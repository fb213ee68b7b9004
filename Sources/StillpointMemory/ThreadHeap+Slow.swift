// The slow paths of a thread state's heap: the owner's side of a page's states (Page.swift).

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == ThreadHeap {
    /// Allocates when the current page's free list is empty.
    @usableFromInline @inline(never)
    func allocateSlow(_ sizeClass: SizeClass) -> UnsafeMutableRawPointer? {
        var handedByteCount = 0
        guard unsafe fillCurrent(sizeClass, handedByteCount: &handedByteCount) else { return nil }
        unsafe report(handedByteCount)
        let page = unsafe pointee.current[sizeClass.index]
        guard let block = unsafe page.pointee.freeList else { return nil }
        unsafe page.pointee.freeList = BlockHeader.readLink(block)
        unsafe block.unpoison(byteCount: sizeClass.blockByteCount)
        return unsafe block
    }

    /// Allocates a block that has a page for itself.
    @usableFromInline @inline(never)
    func allocateSingleSlow(byteCount: Int) -> UnsafeMutableRawPointer? {
        guard let page = unsafe pointee.interpreterHeap.takeSingle(byteCount: byteCount) else { return nil }
        unsafe report(page.pointee.blockByteCount)
        return unsafe page.firstBlock
    }

    /// Sees to it that the current page's free list has a block. False: no memory.
    private func fillCurrent(_ sizeClass: SizeClass, handedByteCount: inout Int) -> Bool {
        let index = sizeClass.index
        let page = unsafe pointee.current[index]
        if unsafe page.refill(handedByteCount: &handedByteCount) { return true }
        if unsafe page != pointee.interpreterHeap.absentPage {
            unsafe pointee.current[index] = pointee.interpreterHeap.absentPage
            unsafe file(page, as: .full)
        }
        while let next = unsafe nextPage(sizeClass) {
            unsafe next.pointee.state = .current
            unsafe next.pointee.noticeAt = Notice.never
            unsafe next.takeCrossThreadFrees()
            if unsafe next.isEmpty { unsafe next.startOver() }
            unsafe pointee.current[index] = next
            if unsafe next.refill(handedByteCount: &handedByteCount) { return true }
            assertionFailure("a page without space was taken as the current one")
        }
        return false
    }

    /// A page to allocate from, in no list: one of ours, one that others left behind, or a new one.
    private func nextPage(_ sizeClass: SizeClass) -> UnsafeMutablePointer<Page>? {
        let index = sizeClass.index
        if let page = unsafe pointee.classes[index].available.takeFirst() { return unsafe page }
        if let page = unsafe pointee.classes[index].kept {
            unsafe pointee.classes[index].kept = nil
            return unsafe page
        }
        if let page = unsafe findFullPageWithSpace(index, limit: HeapLimits.fullPagesLookedAt) {
            return unsafe page
        }
        if let page = unsafe pointee.interpreterHeap.takePage(of: sizeClass, for: self) {
            return unsafe page
        }
        return unsafe findFullPageWithSpace(index, limit: .max)
    }

    /// Takes the first of the next `limit` full pages of which others have freed blocks.
    private func findFullPageWithSpace(_ index: Int, limit: Int) -> UnsafeMutablePointer<Page>? {
        let last = unsafe pointee.classes[index].full.last
        var left = limit
        while left > 0, let page = unsafe pointee.classes[index].full.first {
            if unsafe page.hasCrossThreadFrees {
                unsafe pointee.classes[index].full.remove(page)
                return unsafe page
            }
            unsafe pointee.classes[index].full.rotate()
            if unsafe page == last { break }
            left -= 1
        }
        return nil
    }

    /// A free has brought the count of `page`, one of ours, to where it wants to be noticed (P4).
    @usableFromInline @inline(never)
    func noticeFreeSlow(_ page: UnsafeMutablePointer<Page>) {
        let index = unsafe page.pointee.classIndex
        if unsafe page.pointee.state == .full {
            unsafe pointee.classes[index].full.remove(page)
            unsafe file(page, as: .available)
        }
        guard unsafe page.isEmpty else { return }
        unsafe assert(page.pointee.state == .available)
        unsafe pointee.classes[index].available.remove(page)
        if unsafe pointee.classes[index].kept == nil {
            unsafe file(page, as: .kept)
        } else {
            unsafe letGo(page)
        }
    }

    /// Puts a page of ours, in no list, where pages of `state` are.
    func file(_ page: UnsafeMutablePointer<Page>, as state: PageState) {
        let index = unsafe page.pointee.classIndex
        unsafe page.pointee.state = state
        switch state {
        case .full:
            unsafe page.pointee.noticeAt = Notice.always
            unsafe pointee.classes[index].full.append(page)
        case .available:
            // At the end: it gathers free blocks before it is taken.
            unsafe page.pointee.noticeAt = 0
            unsafe pointee.classes[index].available.append(page)
        default:
            unsafe assert(state == .kept && pointee.classes[index].kept == nil && page.isEmpty)
            unsafe page.pointee.noticeAt = Notice.never
            unsafe pointee.classes[index].kept = page
        }
    }

    /// Gives a page of ours, in no list, to the interpreter heap.
    func letGo(_ page: UnsafeMutablePointer<Page>) {
        unsafe page.putBackFreeList()
        unsafe page.takeCrossThreadFrees()
        unsafe page.pointee.noticeAt = Notice.never
        unsafe page.pointee.owner.store(0, ordering: .relaxed)  // P5
        unsafe pointee.interpreterHeap.fileAbandoned(page)
    }

    /// Adds to what the interpreter heap knows to have been allocated.
    private func report(_ handedByteCount: Int) {
        unsafe pointee.unreportedByteCount += handedByteCount
        guard unsafe pointee.unreportedByteCount >= HeapLimits.reportByteCount else { return }
        unsafe pointee.interpreterHeap.pointee.allocatedByteCount
            .wrappingAdd(pointee.unreportedByteCount, ordering: .relaxed)  // an estimate, nothing hangs on it
        unsafe pointee.unreportedByteCount = 0
    }
}

// MARK: The end of a thread state

extension ThreadHeap {
    /// Gives all pages of `heap` to the interpreter heap, where other heaps adopt them; blocks in use stay where they
    /// are. The caller is the owner, or has the exclusive right to the thread state, as in a stop. The heap is as new.
    public static func abandon(_ heap: UnsafeMutablePointer<ThreadHeap>) {
        for index in 0..<SizeClass.count {
            let page = unsafe heap.pointee.current[index]
            if unsafe page != heap.pointee.interpreterHeap.absentPage {
                unsafe heap.pointee.current[index] = heap.pointee.interpreterHeap.absentPage
                unsafe heap.letGo(page)
            }
            if let page = unsafe heap.pointee.classes[index].kept {
                unsafe heap.pointee.classes[index].kept = nil
                unsafe heap.letGo(page)
            }
            while let page = unsafe heap.pointee.classes[index].available.takeFirst() {
                unsafe heap.letGo(page)
            }
            while let page = unsafe heap.pointee.classes[index].full.takeFirst() {
                unsafe heap.letGo(page)
            }
        }
        unsafe heap.pointee.interpreterHeap.pointee.allocatedByteCount
            .wrappingAdd(heap.pointee.unreportedByteCount, ordering: .relaxed)  // an estimate
        unsafe heap.pointee.unreportedByteCount = 0
    }
}
