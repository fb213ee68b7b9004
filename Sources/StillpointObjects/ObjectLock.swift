// An object's lock for a moment: what containers change under.
//
// A critical section with nothing in it that waits needs no record: while no thread detaches inside, nobody can tell.
// So a free lock is taken and let go by one exchange each; only a taken one goes by floor 4's critical sections,
// which wait without holding anything (C1 there).
//
// [object lock]  the writes of one section  ->  the reads of the next one over the same object

internal import StillpointMemory
public import StillpointPlatform
public import StillpointSynchronization
public import StillpointThreads

/// Short sections over one object.
public enum ObjectLock {
    /// Where the lock stands in the type word.
    @inlinable static var shift: UInt32 { 24 }

    @inlinable @inline(__always)
    static func word(of object: ObjectPointer) -> UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafePointer((object + 12).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// Runs `body` with the lock of the object in `slot` held. The wait before it may be a safepoint; `body` neither
    /// passes one nor detaches (for that: `CriticalSection`), and destroys nothing.
    @inlinable @inline(__always)
    public static func with<Result: ~Copyable, Failure: Error>(
        _ thread: UnsafeMutablePointer<ObjectThread>, _ slot: ObjectSlot,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let word = unsafe word(of: slot.pointee!)
        if unsafe LockBits.tryLock(word, shift: shift) {
            defer { unsafe LockBits.unlock(word, shift: shift) }  // [object lock]
            return try body()
        }
        return try unsafe CriticalSection.with(thread.record, slot, body)
    }
}
