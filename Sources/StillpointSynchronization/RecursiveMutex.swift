// A mutex that its holder may lock again. After CPython's `_PyRecursiveMutex`.
//
// The fields, and who may write them: the mutex as its own protocol says; `owner` and `level` the
// holder alone.
//
// R1  `owner` is the identity of the thread that holds the mutex, 0 while nobody does.
// R2  A thread finds its own identity in `owner` if and only if it holds the mutex; what it finds
//     otherwise says nothing, and need not be ordered with anything.
// R3  `level` counts the locks beyond the first: 0 whenever nobody holds the mutex.
//
// Edges: [lock] and [hand-off] of LockBits+SlowPath.swift.

internal import StillpointPlatform

/// A mutex whose holder may lock it again; it is free when it has been unlocked as often as locked.
/// Free is zero.
///
/// It blocks the OS thread. Only the holder may unlock it. The holder is an OS thread: see
/// `ParkingMutex` for the rest.
public struct RecursiveMutex: ~Copyable, Sendable {
    private let mutex = ParkingMutex()
    /// Atomic, written by the holder only (R2).
    private let owner = Atomic<UInt>(0)
    /// Guarded by `mutex`; atomic for the type's sake.
    private let level = Atomic<Int>(0)

    /// Unlocked.
    public init() {}

    /// Whether the calling thread holds the lock.
    public var isLockedByCurrentThread: Bool {
        owner.load(ordering: .relaxed) == CallingThread.identity  // R2
    }

    /// Identity of the holder (`CallingThread.identity`), 0 if nobody holds the lock. For tests and
    /// diagnosis: it may be wrong when it returns, unless the caller holds the lock.
    public var ownerIdentity: UInt { owner.load(ordering: .relaxed) }

    /// How often the holder has locked it beyond the first time. The caller holds the lock.
    public var recursionLevel: Int { level.load(ordering: .relaxed) }  // guarded by `mutex`

    /// Takes the lock, or takes it once more.
    public borrowing func lock() {
        if isLockedByCurrentThread {
            enterAgain()
        } else {
            mutex.lock()
            becomeOwner()
        }
    }

    /// Takes the lock if it is free or the caller's own.
    public borrowing func tryLock() -> Bool {
        if isLockedByCurrentThread {
            enterAgain()
        } else {
            guard mutex.tryLock() else { return false }
            becomeOwner()
        }
        return true
    }

    /// Takes the lock; false if that was not possible until `deadline` (nanoseconds of
    /// `MonotonicClock`).
    public borrowing func lock(untilNanoseconds deadline: UInt64?) -> Bool {
        if isLockedByCurrentThread {
            enterAgain()
        } else {
            guard mutex.lock(untilNanoseconds: deadline) else { return false }
            becomeOwner()
        }
        return true
    }

    /// Takes one lock back; the last one lets go. Unlocking what the caller does not hold ends the
    /// process.
    public borrowing func unlock() {
        guard isLockedByCurrentThread else {
            fatalError("RecursiveMutex: unlock by a thread that does not hold it")
        }
        // relaxed, here and below: guarded by `mutex`, and R2.
        let count = level.load(ordering: .relaxed)
        if count > 0 {
            level.store(count - 1, ordering: .relaxed)
            return
        }
        owner.store(0, ordering: .relaxed)
        mutex.unlock()
    }

    /// Runs `body` with the lock held.
    public borrowing func withLock<Result: ~Copyable, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// In the child of a fork: free, unless the thread that forked holds it, which holds it still.
    public borrowing func resetAfterForkInChild() {
        if isLockedByCurrentThread { return }
        // relaxed: one thread in the process.
        owner.store(0, ordering: .relaxed)
        level.store(0, ordering: .relaxed)
        mutex.resetAfterForkInChild()
    }

    // MARK: The holder's side

    private borrowing func becomeOwner() {
        // relaxed: guarded by `mutex`, and R2.
        assert(owner.load(ordering: .relaxed) == 0)  // R1
        assert(level.load(ordering: .relaxed) == 0)  // R3
        owner.store(CallingThread.identity, ordering: .relaxed)
    }

    private borrowing func enterAgain() {
        // relaxed: guarded by `mutex`.
        level.store(level.load(ordering: .relaxed) + 1, ordering: .relaxed)
    }
}
