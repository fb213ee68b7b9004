// The interpreter lock: an interpreter made with one has at most one thread attached, as CPython with its GIL.
// It is the interpreter's own, or shared by several interpreters of one runtime.
//
//   free --acquire--> held --release--> free, or handed to who waits longest if the holder was asked to yield
//
// G1  The holder is attached, or about to be, or has just left `attached`: it waits for nothing with the lock held.
// G2  Who waits longer than the interval asks the holder to yield (yieldDue), and the holder's next safepoint
//     hands the lock over: nobody takes it back before a waiter had it. So a waiter asks when it is queued.
// Lock order: the roll is taken while asking; the lock itself is never waited for under the roll.
// [lock]  the holder's writes before release  ->  the next holder's reads (the mutex's own edge)

public import StillpointPlatform
internal import StillpointSynchronization

/// An interpreter lock in raw memory, that outlives the interpreters it serves.
public struct InterpreterLock: ~Copyable {
    private let mutex = ParkingMutex()
    /// The thread that holds it. atomic, read under the roll, which keeps the record in memory
    let holder = Atomic<UInt>(0)
    /// How long one waits before it asks the holder to yield, in nanoseconds.
    public static let switchIntervalNanoseconds: UInt64 = 5_000_000

    private init() {}

    public static func make() throws(PlatformError) -> UnsafeMutablePointer<InterpreterLock> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<InterpreterLock>.stride, alignment: 128)
        let lock = unsafe memory.bindMemory(to: InterpreterLock.self, capacity: 1)
        unsafe lock.initialize(to: InterpreterLock())
        return unsafe lock
    }

    public static func destroy(_ lock: UnsafeMutablePointer<InterpreterLock>) {
        unsafe lock.deinitialize(count: 1)
        unsafe RawMemory.free(lock)
    }

    /// Waits for the lock. The caller is not attached.
    static func acquire(
        _ lock: UnsafeMutablePointer<InterpreterLock>, for thread: UnsafeMutablePointer<ThreadRecord>
    ) {
        if unsafe !lock.pointee.mutex.tryLock(),
            unsafe !lock.pointee.mutex.lock(
                untilNanoseconds: MonotonicClock.nanoseconds() + switchIntervalNanoseconds)
        {
            let world = unsafe thread.pointee.world
            var hasLock = false
            while !hasLock {
                // Queued first, then asked: a holder that yields at once finds somebody to hand the lock to.
                hasLock = unsafe lock.pointee.mutex.lock(
                    untilNanoseconds: MonotonicClock.nanoseconds() + switchIntervalNanoseconds,
                    beforeSleep: { unsafe askHolderToYield(lock, in: world) })
            }
        }
        // Relaxed: read under the roll, by which a record's deletion is ordered.
        unsafe lock.pointee.holder.store(UInt(bitPattern: thread), ordering: .relaxed)
    }

    /// Releases the lock; a thread that waits gets it handed, so that no holder takes it twice in a row from
    /// somebody who waits (G2).
    static func release(_ lock: UnsafeMutablePointer<InterpreterLock>) {
        unsafe lock.pointee.holder.store(0, ordering: .relaxed)
        unsafe lock.pointee.mutex.unlockFairly()
    }

    private static func askHolderToYield(
        _ lock: UnsafeMutablePointer<InterpreterLock>, in world: UnsafeMutablePointer<World>
    ) {
        unsafe world.pointee.roll.lock()
        let address = unsafe lock.pointee.holder.load(ordering: .relaxed)
        if let holder = unsafe UnsafeMutablePointer<ThreadRecord>(bitPattern: address) {
            unsafe holder.setDue(ThreadWord.yieldDue)
        }
        unsafe world.pointee.roll.unlock()
    }
}
