// The lists of a page: filling them, and moving blocks from one to another.
// Who may call is said at Page.swift: the owner, or whoever has its right; pushing is for everybody.

internal import CStillpoint
internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == Page {
    /// Makes `freeList` of what the owner and others have freed, or of blocks never handed out. False: there
    /// are none. Returns with `freeList` filled otherwise; how many bytes it holds is added to `handedByteCount`.
    func refill(handedByteCount: inout Int) -> Bool {
        unsafe assert(pointee.freeList == nil)
        unsafe takeCrossThreadFrees()
        if let freed = unsafe pointee.localFreeList {
            let count = unsafe pointee.linkedCount - pointee.unfreedCount
            unsafe pointee.freeList = freed
            unsafe pointee.localFreeList = nil
            unsafe pointee.unfreedCount = pointee.linkedCount
            unsafe handedByteCount += Int(count) * pointee.blockByteCount
            return true
        }
        return unsafe extend(handedByteCount: &handedByteCount)
    }

    /// Links the next 4 KiB of blocks into `freeList`, in address order.
    private func extend(handedByteCount: inout Int) -> Bool {
        let left = unsafe Int(pointee.blockCount - pointee.linkedCount)
        guard left > 0 else { return false }
        let size = unsafe pointee.blockByteCount
        let count = min(left, max(1, HeapLimits.extensionByteCount / size))
        let first = unsafe firstBlock + Int(pointee.linkedCount) * size
        var block = unsafe first
        for index in 1...count {
            let next = unsafe block + size
            unsafe BlockHeader.writeFree(block, next: index < count ? next : nil)
            unsafe block.poisonBody(of: self)
            unsafe block = next
        }
        unsafe pointee.freeList = first
        unsafe pointee.linkedCount += Int32(count)
        unsafe pointee.unfreedCount += Int32(count)
        handedByteCount += count * size
        return true
    }

    /// Moves what other threads have freed to `localFreeList`.
    func takeCrossThreadFrees() {
        guard unsafe hasCrossThreadFrees else { return }
        // acquiring [remote free]: the block is ours after the last use by the thread that freed it.
        let bits = unsafe pointee.crossThreadFreeList.exchange(0, ordering: .acquiring)
        let taken = unsafe UnsafeMutableRawPointer(bitPattern: bits)
        guard let head = unsafe taken else { return }
        var count: Int32 = 1
        var tail = unsafe head
        while let next = unsafe BlockHeader.readLink(tail) {
            unsafe tail = next
            count += 1
        }
        unsafe BlockHeader.writeLink(tail, next: pointee.localFreeList)
        unsafe pointee.localFreeList = head
        unsafe pointee.unfreedCount -= count
        unsafe assert(pointee.unfreedCount >= 0)
    }

    /// Pushes a block that the caller, not the page's owner, has freed. Any thread.
    func pushCrossThreadFree(_ block: UnsafeMutableRawPointer) {
        // relaxed: the value is only the link, whose block is not touched.
        var head = unsafe pointee.crossThreadFreeList.load(ordering: .relaxed)
        while true {
            unsafe BlockHeader.writeFree(block, next: UnsafeMutableRawPointer(bitPattern: head))
            // releasing [remote free].
            let (done, seen) = unsafe pointee.crossThreadFreeList.weakCompareExchange(
                expected: head, desired: UInt(bitPattern: block),
                successOrdering: .releasing, failureOrdering: .relaxed)
            if done { return }
            head = seen
        }
    }

    /// Moves what is left of `freeList` to `localFreeList`: the page is no longer allocated from.
    func putBackFreeList() {
        guard let head = unsafe pointee.freeList else { return }
        var count: Int32 = 1
        var tail = unsafe head
        while let next = unsafe BlockHeader.readLink(tail) {
            unsafe tail = next
            count += 1
        }
        unsafe BlockHeader.writeLink(tail, next: pointee.localFreeList)
        unsafe pointee.localFreeList = head
        unsafe pointee.freeList = nil
        unsafe pointee.unfreedCount -= count
        unsafe assert(pointee.unfreedCount >= 0)
    }

    /// Forgets the lists of an empty page: it is handed out in address order again.
    func startOver() {
        unsafe assert(isEmpty && pointee.freeList == nil && !hasCrossThreadFrees)
        unsafe pointee.localFreeList = nil
        unsafe pointee.linkedCount = 0
    }
}

