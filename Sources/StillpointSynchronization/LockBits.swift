// The mutex of two bits inside a 32-bit word whose other bits belong to somebody else: object
// headers. The protocol, its states and its edges: LockBits+SlowPath.swift.
//
// The word's other bits may change at any time, by read-modify-write operations alone: a plain
// store to the word would take the lock from its holder. Nothing here changes them.

public import StillpointPlatform

/// A mutex in bits `shift` (locked) and `shift + 1` (threads are parked) of a word. Free is zero.
///
/// It blocks the OS thread, and is fair as `ParkingMutex` is. Waiters park at the word's address:
/// if the word moves while threads wait, whoever moves it wakes them
/// (`ParkingLot.unparkAll(where:)`), and they must have come by `lockOrRetry`. One such lock a
/// word: its waiters are known by the word's address alone.
public enum LockBits {
    /// Takes the lock if it is free.
    @inlinable @inline(__always)
    public static func tryLock(_ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32) -> Bool {
        // relaxed: the exchange decides.
        var old = unsafe word.pointee.load(ordering: .relaxed)
        while (old &>> shift) & 1 == 0 {
            // acquiring: [lock], with `releaseUncontended` and `replaceBits`.
            let (exchanged, original) = unsafe word.pointee.weakCompareExchange(
                expected: old, desired: old | (1 &<< shift), successOrdering: .acquiring,
                failureOrdering: .relaxed)
            if exchanged { return true }
            old = original
        }
        return false
    }

    /// Takes the lock; sleeps while another thread holds it.
    ///
    /// - Parameter beforeSleep: Runs before each sleep, with no lock of the parking lot held.
    /// - Returns: `.locked`, `.lockedAfterSleep` or `.handedOver`; the caller holds the lock.
    @inlinable
    @discardableResult
    public static func lock(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32, beforeSleep: () -> Void = {}
    ) -> LockOutcome {
        if unsafe tryLock(word, shift: shift) { return .locked }
        return unsafe lockSlow(word, shift: shift, beforeSleep: beforeSleep)
    }

    /// Takes the lock, or sleeps once and says how that ended. For a word that may move while the
    /// caller sleeps: after `.handedOver` the caller holds the lock, wherever the word is now;
    /// after `.mustRetry` it holds nothing, and finds the word again before it starts over. The
    /// word is not read after a sleep.
    ///
    /// - Parameters:
    ///   - waitingSince: 0 before the first try for this lock; the caller passes it back in each
    ///     further try, so that its patience counts from its first sleep.
    ///   - beforeSleep: Runs before the sleep, if there is one.
    /// - Returns: `.locked`, `.handedOver` or `.mustRetry`.
    @inlinable
    public static func lockOrRetry(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32, waitingSince: inout UInt64,
        beforeSleep: () -> Void = {}
    ) -> LockOutcome {
        if unsafe tryLock(word, shift: shift) { return .locked }
        return unsafe lockOrRetrySlow(
            word, shift: shift, waitingSince: &waitingSince, beforeSleep: beforeSleep)
    }

    /// Lets the lock go. Unlocking what is not locked ends the process.
    @inlinable
    public static func unlock(_ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32) {
        if unsafe !releaseUncontended(word, shift: shift) {
            unsafe unlockSlow(word, shift: shift, isFair: false)
        }
    }

    /// Lets the lock go; the thread that waits longest, if any, is handed it.
    @inlinable
    public static func unlockFairly(_ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32) {
        if unsafe !releaseUncontended(word, shift: shift) {
            unsafe unlockSlow(word, shift: shift, isFair: true)
        }
    }

    /// Whether some thread holds the lock. It may be wrong when it returns, unless the caller holds
    /// it.
    @inlinable
    public static func isLocked(_ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32) -> Bool {
        // relaxed: an opinion, orders nothing.
        unsafe (word.pointee.load(ordering: .relaxed) &>> shift) & 1 != 0
    }

    // MARK: The rest

    @inlinable @inline(__always)
    static func releaseUncontended(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32
    ) -> Bool {
        // relaxed: the exchange decides.
        var old = unsafe word.pointee.load(ordering: .relaxed)
        while (old &>> shift) & 3 == 1 {
            // releasing: [lock], with `tryLock` and `exchangeBits`.
            let (exchanged, original) = unsafe word.pointee.weakCompareExchange(
                expected: old, desired: old & ~(1 &<< shift), successOrdering: .releasing,
                failureOrdering: .relaxed)
            if exchanged { return true }
            old = original
        }
        return false
    }

    @usableFromInline @inline(never)
    static func lockSlow(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32, beforeSleep: () -> Void
    ) -> LockOutcome {
        var waitingSince: UInt64 = 0
        return unsafe WordCell(word: word, shift: shift).lockSlow(
            untilNanoseconds: nil, waitingSince: &waitingSince, parksOnce: false,
            beforeSleep: beforeSleep)
    }

    @usableFromInline @inline(never)
    static func lockOrRetrySlow(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32, waitingSince: inout UInt64,
        beforeSleep: () -> Void
    ) -> LockOutcome {
        unsafe WordCell(word: word, shift: shift).lockSlow(
            untilNanoseconds: nil, waitingSince: &waitingSince, parksOnce: true,
            beforeSleep: beforeSleep)
    }

    @usableFromInline @inline(never)
    static func unlockSlow(
        _ word: UnsafePointer<Atomic<UInt32>>, shift: UInt32, isFair: Bool
    ) {
        let cell = unsafe WordCell(word: word, shift: shift)
        guard cell.loadBits() & LockState.locked != 0 else {
            fatalError("LockBits: unlock of a lock that is not locked")
        }
        cell.unlockSlow(isFair: isFair)
    }
}

/// Two bits of a word whose other bits are kept.
@safe
private struct WordCell: LockCell {
    let word: UnsafePointer<Atomic<UInt32>>
    let shift: UInt32

    var key: UnsafeRawPointer { unsafe UnsafeRawPointer(word) }

    func loadBits() -> UInt8 {
        unsafe UInt8(truncatingIfNeeded: (word.pointee.load(ordering: .relaxed) &>> shift) & 3)
    }

    func exchangeBits(expected: UInt8, desired: UInt8) -> Bool {
        // relaxed: the exchange decides.
        var old = unsafe word.pointee.load(ordering: .relaxed)
        while (old &>> shift) & 3 == UInt32(expected) {
            // acquiring: [lock].
            let (exchanged, original) = unsafe word.pointee.weakCompareExchange(
                expected: old, desired: (old & ~(3 &<< shift)) | (UInt32(desired) &<< shift),
                successOrdering: .acquiring, failureOrdering: .relaxed)
            if exchanged { return true }
            old = original
        }
        return false
    }

    func replaceBits(with desired: UInt8) {
        // The bits are 3 and stay so (L2): one read-modify-write that clears some of them.
        // releasing: [lock].
        let cleared = (3 ^ UInt32(desired)) &<< shift
        unsafe word.pointee.bitwiseAnd(~cleared, ordering: .releasing)
    }
}
