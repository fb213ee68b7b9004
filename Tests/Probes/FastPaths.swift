// The fast paths as an embedder's code has them: one C function for each operation of docs/fast-paths.md. A test of the
// repository builds this file in release mode, in a package that depends on this one, and disassembles it. The name of
// a function is `fastpath_`, then the operation as the table has it, with `_` for the dot.

import StillpointMemory
import StillpointObjects
import StillpointThreads

@c(fastpath_Safepoint_poll)
public func pollSafepoint(_ thread: UnsafeMutableRawPointer) {
    Safepoint.poll(thread.assumingMemoryBound(to: ThreadRecord.self))
}

@c(fastpath_Attachment_attach)
public func attach(_ thread: UnsafeMutableRawPointer) -> Bool {
    do {
        try Attachment.attach(thread.assumingMemoryBound(to: ThreadRecord.self))
        return true
    } catch {
        return false
    }
}

@c(fastpath_Attachment_detach)
public func detach(_ thread: UnsafeMutableRawPointer) {
    Attachment.detach(thread.assumingMemoryBound(to: ThreadRecord.self))
}

@c(fastpath_ThreadHeap_allocate)
public func allocate48(_ heap: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    try? heap.assumingMemoryBound(to: ThreadHeap.self).allocate(byteCount: 48)
}

@c(fastpath_ThreadHeap_free)
public func free(_ block: UnsafeMutableRawPointer, _ heap: UnsafeMutableRawPointer) {
    ThreadHeap.free(block, by: heap.assumingMemoryBound(to: ThreadHeap.self))
}

@c(fastpath_Counting_retain)
public func retain(_ object: UnsafeMutableRawPointer, _ thread: UnsafeMutableRawPointer) {
    Counting.retain(object, by: thread.assumingMemoryBound(to: ObjectThread.self))
}

@c(fastpath_Counting_release)
public func release(_ object: UnsafeMutableRawPointer, _ thread: UnsafeMutableRawPointer) {
    Counting.release(object, by: thread.assumingMemoryBound(to: ObjectThread.self))
}
