// A mutex of one byte. The protocol, its states and its edges: LockBits+SlowPath.swift.

public import StillpointPlatform

/// A mutex of one byte: bit 0 locked, bit 1 threads are parked. Free is zero.
///
/// It blocks the OS thread. A thread that comes while the lock is free takes it, whoever waits; but
/// a thread that has waited for a millisecond is handed it. Not recursive. Any thread may unlock
/// what another has locked, as long as their accesses are ordered otherwise. The byte must stay
/// where it is while anybody uses it.
///
/// After WebKit's WTF::Lock and CPython's `PyMutex`.
public struct ParkingMutex: ~Copyable, Sendable {
    /// Atomic, edges [lock] [hand-off].
    @usableFromInline let byte: Atomic<UInt8>

    /// Unlocked.
    @inlinable public init() { byte = Atomic(0) }

    /// Whether some thread holds the lock. It may be wrong when it returns, unless the caller holds
    /// it.
    @inlinable public var isLocked: Bool {
        byte.load(ordering: .relaxed) & LockState.locked != 0  // an opinion: orders nothing
    }

    /// The byte, for tests and diagnosis.
    public var rawByte: UInt8 { byte.load(ordering: .relaxed) }  // an opinion: orders nothing

    /// Takes the lock; sleeps while another thread holds it.
    @inlinable @inline(__always)
    public borrowing func lock() {
        if unsafe SpecifiedLock.mutex.lock(at: key) { return }
        if !takeFree() { lockSlow() }
    }

    /// Takes the lock; false if that was not possible until `deadline` (nanoseconds of
    /// `MonotonicClock`).
    ///
    /// - Parameter beforeSleep: Runs before each sleep, with no lock of the parking lot held.
    @inlinable
    public borrowing func lock(
        untilNanoseconds deadline: UInt64?, beforeSleep: () -> Void = {}
    ) -> Bool {
        if unsafe SpecifiedLock.mutex.lock(at: key) { return true }
        return takeFree() || lockSlow(untilNanoseconds: deadline, beforeSleep: beforeSleep).isLocked
    }

    /// Takes the lock if it is free.
    @inlinable
    public borrowing func tryLock() -> Bool {
        if let isTaken = unsafe SpecifiedLock.mutex.tryLock(at: key) { return isTaken }
        if takeFree() { return true }
        // Free, and others are parked: as `lock` would. relaxed: the exchange decides; acquiring:
        // [lock].
        let parked = LockState.parked
        return byte.load(ordering: .relaxed) == parked
            && byte.compareExchange(
                expected: parked, desired: parked | LockState.locked, successOrdering: .acquiring,
                failureOrdering: .relaxed
            ).exchanged
    }

    /// Lets the lock go. Unlocking what is not locked ends the process.
    @inlinable @inline(__always)
    public borrowing func unlock() {
        if unsafe SpecifiedLock.mutex.unlock(at: key) { return }
        if !releaseUncontended() { unlockSlow(isFair: false) }
    }

    /// Lets the lock go; the thread that waits longest, if any, is handed it.
    @inlinable
    public borrowing func unlockFairly() {
        if unsafe SpecifiedLock.mutex.unlock(at: key) { return }
        if !releaseUncontended() { unlockSlow(isFair: true) }
    }

    /// Runs `body` with the lock held.
    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// In the child of a fork: unlocked, whoever held it.
    public borrowing func resetAfterForkInChild() {
        byte.store(0, ordering: .relaxed)  // one thread in the process
    }

    // MARK: Fast paths

    /// What the lock is known by to the model checker.
    @inlinable @inline(__always)
    var key: UnsafeRawPointer {
        unsafe withUnsafePointer(to: byte) { unsafe UnsafeRawPointer($0) }
    }

    @inlinable @inline(__always)
    borrowing func takeFree() -> Bool {
        // acquiring: [lock], with `releaseUncontended` and `replaceBits`.
        byte.compareExchange(
            expected: 0, desired: LockState.locked, successOrdering: .acquiring,
            failureOrdering: .relaxed
        ).exchanged
    }

    @inlinable @inline(__always)
    borrowing func releaseUncontended() -> Bool {
        // releasing: [lock], with `takeFree` and `exchangeBits`.
        byte.compareExchange(
            expected: LockState.locked, desired: 0, successOrdering: .releasing,
            failureOrdering: .relaxed
        ).exchanged
    }

    // MARK: Slow paths

    @usableFromInline @inline(never)
    borrowing func lockSlow() {
        _ = lockSlow(untilNanoseconds: nil, beforeSleep: {})
    }

    @usableFromInline @inline(never)
    borrowing func lockSlow(
        untilNanoseconds deadline: UInt64?, beforeSleep: () -> Void
    ) -> LockOutcome {
        unsafe withUnsafePointer(to: byte) { byte in
            var waitingSince: UInt64 = 0
            return unsafe ByteCell(byte: byte).lockSlow(
                untilNanoseconds: deadline, waitingSince: &waitingSince, parksOnce: false,
                beforeSleep: beforeSleep)
        }
    }

    @usableFromInline @inline(never)
    borrowing func unlockSlow(isFair: Bool) {
        unsafe withUnsafePointer(to: byte) { byte in
            let cell = unsafe ByteCell(byte: byte)
            guard cell.loadBits() & LockState.locked != 0 else {
                fatalError("ParkingMutex: unlock of a mutex that is not locked")
            }
            cell.unlockSlow(isFair: isFair)
        }
    }
}

/// A byte whose other bits are not used.
@safe
private struct ByteCell: LockCell {
    let byte: UnsafePointer<Atomic<UInt8>>

    var key: UnsafeRawPointer { unsafe UnsafeRawPointer(byte) }

    func loadBits() -> UInt8 { unsafe byte.pointee.load(ordering: .relaxed) }

    func exchangeBits(expected: UInt8, desired: UInt8) -> Bool {
        unsafe byte.pointee.compareExchange(
            expected: expected, desired: desired, successOrdering: .acquiring,
            failureOrdering: .relaxed
        ).exchanged
    }

    func replaceBits(with desired: UInt8) {
        unsafe byte.pointee.store(desired, ordering: .releasing)
    }
}
