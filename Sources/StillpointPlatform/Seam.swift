// The one place from which protocol code takes what threads share: atomics, sleeping on an address, spinning,
// the clock and the start of a thread. In ordinary builds each is an alias or inlines to the bare operation. A model checker
// stands in for all of them by replacing this file's contents alone.

internal import Glibc
public import CStillpoint
public import Synchronization

/// `Synchronization.Atomic`: every operation states its ordering.
public typealias Atomic = Synchronization.Atomic

/// The clock that deadlines are readings of.
public typealias MonotonicClock = PosixClock

/// The start of threads, their end, and giving way to others.
public typealias SystemThread = PosixThread

/// How a futex wait ended. A wait may end without cause: the caller looks at its word again.
public enum FutexOutcome: Sendable {
    case woken
    case valueDiffers
    case timedOut
}

/// Sleeping on the address of a 32-bit word.
public enum Futex {
    /// Sleeps while `word` holds `expected`, until woken or until `deadline`
    /// (nanoseconds of `MonotonicClock`; `nil`: no end).
    @discardableResult
    public static func wait(
        on word: UnsafePointer<Atomic<UInt32>>, while expected: UInt32,
        untilNanoseconds deadline: UInt64? = nil
    ) -> FutexOutcome {
        if FailurePoint.fails(.futexWait), MonotonicClock.nanoseconds() < deadline ?? .max { return .woken }
        let error: CInt
        if let deadline {
            var time = timespec()
            time.tv_sec = .init(deadline / 1_000_000_000)
            time.tv_nsec = .init(deadline % 1_000_000_000)
            error = unsafe sp_futex_wait(word, expected, &time)
        } else {
            error = unsafe sp_futex_wait(word, expected, nil)
        }
        switch error {
        case ETIMEDOUT: return .timedOut
        case EAGAIN: return .valueDiffers
        default: return .woken
        }
    }

    /// Wakes at most `count` sleepers of `word`; returns how many. The word's memory is not read, so it may be
    /// gone already.
    @discardableResult
    public static func wake(_ word: UnsafePointer<Atomic<UInt32>>, count: Int = 1) -> Int {
        unsafe Int(sp_futex_wake(word, CInt(clamping: count)))
    }
}

/// Tells the processor that the caller spins.
@inlinable @inline(__always)
public func spinHint() { sp_spin_hint() }
