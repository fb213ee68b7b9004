// A mutex of two bits, wherever the two bits are: the protocol of ParkingMutex (a byte of its own)
// and of LockBits (two bits of a 32-bit word that somebody else owns). After WebKit's WTF::Lock and
// CPython's PyMutex.
//
// The problem: a lock in every object must be as small as can be and still cost one locked
// instruction to take and one to let go; threads that wait must sleep; and none may lose for ever
// to threads that come later and are awake.
//
// States of the two bits, LOCKED (1) and PARKED (2), and who makes each move:
//
//   0 -> 1      whoever is first                                                   [lock]
//   1 -> 0      its holder                                                         [lock]
//   1 -> 3      a thread that goes to park
//   2 -> 3      whoever is first, awake, while others wait                         [lock]
//   3 -> 0, 2   its holder, under the bucket's lock, which wakes the first waiter
//               to try again; 2 if others wait behind it                           [lock]
//   3 -> 1, 3   its holder, under the bucket's lock, which hands the lock over
//               to the first waiter; 3 if others wait behind it                    [hand-off]
//
// L1  PARKED clear: nobody is queued. (PARKED set: somebody may be; a waiter whose deadline passed
//     leaves it set.)
// L2  The move from 3 is its holder's alone, under the bucket's lock, with the taking of a waiter
//     as one step.
// L3  A waiter that is handed the lock owns it from the moment it is taken: LOCKED is never clear
//     in between.
// L4  A waiter that is first in the queue and has waited for a millisecond, counted from its first
//     sleep for this lock, is handed the lock by the next unlock. Every unlock with PARKED set
//     takes the first, so all who wait get there.
// L5  Once the move to 0, or the hand-off, is made, the unlocker touches the word no more: it may
//     be freed.
// L6  A thread that has slept in `lockOrRetry` and was not handed the lock never reads the word
//     again.
//
// Lock order: the bucket's lock of the word's address is taken inside, and is innermost.
//
// [lock]      the holder's writes before it unlocks  ->  the next holder's reads after it locks
// [hand-off]  the same when the lock is handed over; it goes by way of [wake] of ParkingLot.swift

internal import StillpointPlatform

/// How the lock was taken, or why not.
public enum LockOutcome: Sendable, Equatable {
    /// Taken; the thread has not slept.
    case locked
    /// Taken; the thread has slept, so the world may have changed meanwhile.
    case lockedAfterSleep
    /// Handed over by the thread that held it, while the caller slept.
    case handedOver
    /// Not taken: the thread has slept and was not handed the lock (`LockBits.lockOrRetry` alone).
    case mustRetry
    /// Not taken: the deadline has passed.
    case timedOut

    /// Whether the caller holds the lock now.
    @inlinable public var isLocked: Bool {
        switch self {
        case .locked, .lockedAfterSleep, .handedOver: true
        case .mustRetry, .timedOut: false
        }
    }
}

/// The two bits' meaning.
@usableFromInline enum LockState {
    @usableFromInline static let locked: UInt8 = 1
    @usableFromInline static let parked: UInt8 = 2
    /// What an unparked waiter finds as its token.
    static let tokenRetry: UInt = 0
    static let tokenHandedOver: UInt = 1
}

/// A place that holds the two bits. Two conformances, specialised: the slow path exists once.
protocol LockCell {
    /// The key that waiters park at.
    var key: UnsafeRawPointer { get }
    /// Relaxed: every decision on it is made again by an exchange, or under the bucket's lock.
    func loadBits() -> UInt8
    /// Acquiring, edge [lock]; false if the bits are not `expected` any more.
    func exchangeBits(expected: UInt8, desired: UInt8) -> Bool
    /// Releasing, edge [lock]. Called by the holder, under the bucket's lock, the bits being 3.
    func replaceBits(with desired: UInt8)
}

extension LockCell {
    /// - Parameters:
    ///   - waitingSince: When the caller first slept for this lock, 0 while it has not: set before
    ///     its first sleep.
    ///   - parksOnce: Return `.mustRetry` after a sleep that did not end with the lock handed over.
    @inline(__always)
    func lockSlow(
        untilNanoseconds deadline: UInt64?, waitingSince: inout UInt64, parksOnce: Bool,
        beforeSleep: () -> Void
    ) -> LockOutcome {
        var backoff = Backoff()
        var hasSlept = false
        while true {
            let bits = loadBits()
            if bits & LockState.locked == 0 {
                if exchangeBits(expected: bits, desired: bits | LockState.locked) {  // [lock]
                    return hasSlept ? .lockedAfterSleep : .locked
                }
                continue
            }
            if bits & LockState.parked == 0 {
                if backoff.wait() { continue }
                guard exchangeBits(expected: bits, desired: bits | LockState.parked)
                else { continue }
            }
            if waitingSince == 0 { waitingSince = MonotonicClock.nanoseconds() }
            let outcome = unsafe ParkingLot.park(
                at: key, untilNanoseconds: deadline, waitingSinceNanoseconds: waitingSince,
                validate: {
                    recheck("lock.stillHeld", loadBits() == LockState.locked | LockState.parked)
                },
                beforeSleep: beforeSleep)
            switch outcome {
            case .notParked: continue
            case .timedOut: return .timedOut
            case .unparked(LockState.tokenHandedOver): return .handedOver  // [hand-off]
            case .unparked:
                if parksOnce { return .mustRetry }  // L6
                hasSlept = true
                backoff = Backoff()
            }
        }
    }

    /// The bits were 3 when the holder looked.
    @inline(__always)
    func unlockSlow(isFair: Bool) {
        unsafe ParkingLot.unparkOne(at: key) { waiter in
            assert(loadBits() == LockState.locked | LockState.parked)  // L2
            let parked = waiter.hasMoreWaiters ? LockState.parked : 0
            if waiter.didUnpark && (isFair || waiter.shouldHandOff) {
                replaceBits(with: LockState.locked | parked)  // L3, [hand-off]
                return LockState.tokenHandedOver
            }
            replaceBits(with: parked)  // [lock]
            return LockState.tokenRetry
        }
    }
}
