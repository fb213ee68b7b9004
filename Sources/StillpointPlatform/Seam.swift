// The one place from which protocol code takes what threads share: atomics, sleeping on an address, spinning, the clock,
// the start of a thread, who the calling thread is, and liburcu's quiescent states. In ordinary builds each is the bare operation
// under another name, which a test sees in the machine code. Under the trait ModelCheck, Seam+Model.swift stands in for this
// file, and the same source runs on the model checker (docs/verification.md).

#if !ModelCheck

internal import Glibc
public import CStillpoint
@_exported public import struct Synchronization.Atomic
@_exported public import protocol Synchronization.AtomicRepresentable
@_exported public import struct Synchronization.AtomicLoadOrdering
@_exported public import struct Synchronization.AtomicStoreOrdering
@_exported public import struct Synchronization.AtomicUpdateOrdering

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

/// How often to look before one sleeps: `count`. (Fewer on the model checker, where each look is a step to explore.)
@inlinable @inline(__always)
public func spinLimit(_ count: Int) -> Int { count }

/// How many parts a table has that is walked as a whole: `count`. (Fewer on the model checker, where each is a step.)
@inlinable @inline(__always)
public func partCount(_ count: Int) -> Int { count }

/// Whether `condition` holds, looked at again because it may have changed since it was looked at before. The name is what
/// a mutant takes it out by.
@inlinable @inline(__always)
public func recheck(_ name: StaticString, _ condition: Bool) -> Bool { condition }

/// Locks whose protocol has models of its own: what stands on them may have them as their specification says, one step to
/// take and one to let go, when it is modelled itself. In ordinary builds no lock is so, and the caller goes on to take it.
public enum SpecifiedLock {
    case bucket, mutex

    /// Whether the lock was taken as specified.
    @inlinable @inline(__always)
    public func lock(at key: UnsafeRawPointer) -> Bool { false }

    /// Whether it was free, and taken; `nil`: it is not as specified.
    @inlinable @inline(__always)
    public func tryLock(at key: UnsafeRawPointer) -> Bool? { nil }

    /// Whether it was let go as specified.
    @inlinable @inline(__always)
    public func unlock(at key: UnsafeRawPointer) -> Bool { false }
}

/// Who calls, as protocol code tells threads apart.
public enum CallingThread {
    /// A number that no other live OS thread of this process has.
    @inlinable @inline(__always)
    public static var identity: UInt { UInt(sp_os_thread_identity()) }

    /// A number that no other reader of this process has or had; 0 on a thread that is none (`Quiescence.register`).
    @inlinable @inline(__always)
    public static var readerNumber: UInt { UInt(sp_reader_number()) }
}

/// The calling OS thread as a reader of liburcu's, and its grace periods (quiescent-state flavour).
public enum Quiescence {
    /// Makes the calling OS thread a reader, offline. Nothing if it is one already. Throws `ENOMEM` or `EAGAIN`: it is
    /// none then.
    public static func register() throws(PlatformError) {
        if sp_is_reader() != 0 { return }
        let failure = FailurePoint.fails(.readerRegistration) ? ENOMEM : sp_rcu_register()
        if failure != 0 { throw PlatformError(call: "pthread_setspecific", errorNumber: failure) }
    }

    /// From here on no grace period ends before a quiescent state of this thread.
    @inlinable @inline(__always)
    public static func goOnline() { sp_rcu_online() }

    /// This thread holds nothing that a grace period protects.
    @inlinable @inline(__always)
    public static func goOffline() { sp_rcu_offline() }

    /// Announces a quiescent state of this thread, which is online.
    @inlinable @inline(__always)
    public static func announce() { sp_rcu_quiescent_state() }

    /// Whether the calling thread is a reader and online.
    @inlinable @inline(__always)
    public static var isOnline: Bool { sp_rcu_is_online() != 0 }

    /// Waits until every reader that is online now has announced a quiescent state or gone offline. The caller is offline;
    /// one grace period runs at a time.
    public static func waitForGracePeriod() { sp_rcu_synchronize() }
}

// MARK: What only the model checker is told

/// What `value` points to, on the caller's stack, may be used for something else from here on.
@inlinable @inline(__always)
public func noteEndOfLife<Value: ~Copyable>(of value: UnsafeMutablePointer<Value>) {}

@inline(__always) func noteAllocation(_ block: UnsafeMutableRawPointer, byteCount: Int) {}
@inline(__always) func noteRelease(_ block: UnsafeMutableRawPointer) {}
@inline(__always) func noteMisuse(_ text: String) {}
#endif
