// Destruction without recursion: an object that dies gives up its references, which may kill others, and so on down a
// list of any length. The dead wait in a list of the thread that works, linked through their owner words.
//
// D1  A dead object has state merged, count zero, and an owner word without an owner: no try-retain succeeds (R6).
// D2  One loop a thread works through the list; a death inside it only lengthens the list.
// D3  The loop passes no safepoint: at one, no thread has dead objects in its list. So payloads' destroy functions
//     neither detach nor pass a safepoint.

public import StillpointMemory
internal import StillpointPlatform

/// The end of objects.
public enum Destruction {
    /// Destroys an object whose count is zero, by the caller alone: gives up its references, runs the payload's destroy
    /// function, frees its block. Uses stack for one object, however many die of it.
    @usableFromInline @inline(never)
    static func destroy(_ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe markDead(object, before: thread.own.pointee.dying)
        unsafe thread.own.pointee.dying = object
        if unsafe thread.own.pointee.isDestroying { return }
        unsafe thread.own.pointee.isDestroying = true
        while let next = unsafe thread.own.pointee.dying {
            unsafe thread.own.pointee.dying = successor(of: next)
            unsafe finish(next, by: thread)
        }
        unsafe thread.own.pointee.isDestroying = false
    }

    /// Makes an object whose count is zero look dead (D1), with a link to `next`.
    static func markDead(_ object: ObjectPointer, before next: ObjectPointer?) {
        // relaxed: a late reader that sees the old values fails on them as well (R5, R6).
        unsafe object.header.pointee.owner.store(OwnerWord.link(to: next), ordering: .relaxed)
        unsafe object.header.pointee.shared.store(SharedWord.dead, ordering: .relaxed)
    }

    static func successor(of object: ObjectPointer) -> ObjectPointer? {
        unsafe OwnerWord.linked(object.header.pointee.owner.load(ordering: .relaxed))
    }

    private static func finish(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let types = unsafe thread.own.pointee.types
        unsafe Objects.visitReferences(of: object, in: types) { slot in
            if let child = unsafe slot.loadObject() { unsafe Counting.release(child, by: thread) }
        }
        if unsafe hasDestroyFunction(object, in: types) {
            unsafe thread.record.banWaiting()
            unsafe runDestroyFunction(of: object, in: types)
            unsafe thread.record.allowWaiting()
        }
        unsafe free(object, by: thread)
    }

    /// Whether an object's payload has something to run at its end.
    @inlinable
    public static func hasDestroyFunction(
        _ object: ObjectPointer, in types: UnsafeMutablePointer<TypeTable>
    ) -> Bool {
        let descriptor = unsafe types.descriptor(Objects.typeIndex(of: object))
        return unsafe descriptor.pointee.payloadType != nil || descriptor.pointee.destroy != nil
    }

    /// Runs the destroy function of the object's payload, if its type has one; nothing else. For the objects that a
    /// collection frees in a pause; and for `destroy`.
    @inlinable
    public static func runDestroyFunction(
        of object: ObjectPointer, in types: UnsafeMutablePointer<TypeTable>
    ) {
        let descriptor = unsafe types.descriptor(Objects.typeIndex(of: object))
        if let payloadType = unsafe descriptor.pointee.payloadType {
            unsafe payloadType.destroyPayload(at: object + BlockHeader.byteCount)
        } else if let destroy = unsafe descriptor.pointee.destroy {
            unsafe destroy(object + BlockHeader.byteCount)
        }
    }

    /// Frees the block of a dead object.
    static func free(_ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>) {
        // relaxed: a visitor looks at a stop; the heap orders the block's next use.
        unsafe object.header.pointee.type.store(0, ordering: .relaxed)
        unsafe thread.own.pointee.diedCount += 1
        unsafe ThreadHeap.free(object, by: thread.heap)
    }
}
