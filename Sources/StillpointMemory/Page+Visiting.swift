// What a collector does with a page while the world is stopped: visit its objects, mark them, free the dead.

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == Page {
    /// Calls `body` with each block of the page that holds an object, in address order. A block that was handed
    /// out but has no type yet is skipped. World stopped. `body` may free the block (`freeStopped`).
    @inlinable @inline(__always)
    public func visitBlocks(_ body: (UnsafeMutableRawPointer) -> Void) {
        var block = unsafe firstBlock
        let size = unsafe pointee.blockByteCount
        for _ in 0..<(unsafe pointee.linkedCount) {
            if unsafe BlockHeader.isLive(block) { unsafe body(block) }
            unsafe block += size
        }
    }

    /// Frees a block of the page, whoever owns the page. World stopped; the caller is the only one who frees.
    /// The page is filed anew, and given back if it is empty, by the next
    /// `InterpreterHeap.collectCrossThreadFrees()`.
    public func freeStopped(_ block: UnsafeMutableRawPointer) {
        unsafe assert(Page.containing(block) == self && pointee.unfreedCount > 0)
        unsafe BlockHeader.writeFree(block, next: pointee.localFreeList)
        unsafe block.poisonBody(of: self)
        unsafe pointee.localFreeList = block
        unsafe pointee.unfreedCount -= 1
    }
}
