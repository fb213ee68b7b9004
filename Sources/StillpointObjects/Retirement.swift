// Old storage of containers. A container that grows copies its references to a larger storage and publishes that; but
// readers without a lock may still be in the old one, so it is freed after a grace period.
//
//   in use ---retire---> retired ---deferred---> freed, after a grace period
//                           |  ^                       ^
//       no memory to defer  v  | retried               | at a stop
//                       undeferred --------------------+
//
// T1  Retired storage has a type without references: its references are the new storage's, and count there.
// T2  It was unpublished before it was deferred, so its grace period begins after that.
// T3  Retiring does not fail: storage that cannot be deferred is linked through its owner word, and waits for a retry,
//     the next stop, or the end of its interpreter.

internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

enum Retirement {
    /// Frees `storage`, which the caller has just unpublished, once no reader can be in it.
    static func retire(
        _ storage: ObjectPointer, as type: UInt32, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe retry(thread)
        let before = unsafe Objects.typeIndex(of: storage)
        // relaxed: visitors look at a stop. The other bits of the word stay.
        unsafe storage.header.pointee.type.bitwiseXor(before ^ type, ordering: .relaxed)  // T1
        if unsafe !deferFree(of: storage, by: thread) {
            // relaxed, as all links: they are the owner's.
            unsafe storage.header.pointee.owner.store(
                OwnerWord.link(to: thread.own.pointee.undeferred), ordering: .relaxed)
            unsafe thread.own.pointee.undeferred = storage
        }
    }

    /// Defers again what could not be deferred.
    static func retry(_ thread: UnsafeMutablePointer<ObjectThread>) {
        while let storage = unsafe thread.own.pointee.undeferred {
            let next = unsafe Destruction.successor(of: storage)
            if unsafe !deferFree(of: storage, by: thread) { return }
            unsafe thread.own.pointee.undeferred = next
        }
    }

    /// Frees what `thread` could not defer. World stopped.
    static func freeAll(
        _ thread: UnsafeMutablePointer<ObjectThread>, by worker: UnsafeMutablePointer<ObjectThread>
    ) {
        let first = unsafe thread.own.pointee.undeferred
        unsafe thread.own.pointee.undeferred = nil
        unsafe free(first, by: worker)
    }

    /// Frees what ended threads of an interpreter could not defer. World stopped.
    static func freeAll(
        of interpreter: UnsafeMutablePointer<InterpreterObjects>,
        by worker: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe interpreter.pointee.lock.lock()
        let first = unsafe interpreter.pointee.undeferred
        unsafe interpreter.pointee.undeferred = nil
        unsafe interpreter.pointee.lock.unlock()
        unsafe free(first, by: worker)
    }

    private static func free(
        _ first: ObjectPointer?, by worker: UnsafeMutablePointer<ObjectThread>
    ) {
        var next = unsafe first
        while let storage = unsafe next {
            unsafe next = Destruction.successor(of: storage)
            unsafe freeBlock(storage, by: worker)
        }
    }

    /// False: there is no memory for it.
    private static func deferFree(
        of storage: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> Bool {
        let byteCount = unsafe Objects.byteCount(of: storage, in: thread.own.pointee.types)
        do throws(PlatformError) {
            try unsafe thread.record.deferFree(
                of: storage, byteCount: byteCount
            ) { storage, record in
                // No thread: the interpreter ends, and its heap with all blocks.
                guard let record = unsafe record else { return }
                unsafe Retirement.freeBlock(
                    storage, by: record.assumingMemoryBound(to: ObjectThread.self))
            }
            return true
        } catch {
            return false
        }
    }

    private static func freeBlock(
        _ storage: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe Destruction.markDead(storage, before: nil)
        unsafe Destruction.free(storage, by: thread)
    }
}
