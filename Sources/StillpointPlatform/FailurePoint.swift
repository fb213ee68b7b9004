// Calls of the system that fail when a test says so.
//
// The problem: memory, address space and threads hardly ever run out where tests run, so the code for it is never run, and
// it is there that blocks leak, structures stay half made and errors get lost. Limits of the process (setrlimit) come
// at no chosen call. So each call of ours that can fail asks here first whether it shall, and a test walks through
// a scenario with the first call failing, then the second, and so on (docs/verification.md).
//
//   no plan ---withPlan---> asked: counts the call; the n-th of the chosen kinds fails, or all from the n-th on
//      ^                      |
//      +---withPlan ends------+          a thread started by a thread with a plan has the same plan to its end
//
// X1  Without a plan an asking costs one load of a thread-local variable, and no fast path asks (docs/fast-paths.md).
// X2  A plan is of the thread that set it and of those started under it, so tests run side by side undisturbed.
// X3  What a group of threads has allocated and not freed its plan knows exactly, as long as nobody else frees it.
//
// Each kind fails as the system does: with an error number that the call's manual page has, and nothing done. A wait on
// a futex does not fail but ends without cause, as the system's may (EINTR, a wake meant for somebody else). Waking
// cannot fail, and so has no kind. What is not ours fails by no plan: Swift's own allocations, which trap.

internal import CStillpoint
internal import Synchronization

/// Not the seam's: what a test counts is no part of a protocol.
private typealias Atomic = Synchronization.Atomic

/// What can be made to fail.
package enum FailureKind: UInt32, CaseIterable, Sendable {
    /// `RawMemory.allocate`: ENOMEM.
    case memory
    /// mmap, mprotect and munmap of `AddressSpace`: ENOMEM.
    case reservation, commitment, unmapping
    /// madvise of `AddressSpace`: EAGAIN.
    case advice
    /// The start of a thread: EAGAIN; its attributes: ENOMEM.
    case threadStart, threadAttributes
    /// The registration of a thread as a reader, which takes a thread-specific value of the C library: ENOMEM.
    case readerRegistration
    /// Opening one of the system's files: EMFILE.
    case file
    /// A wait on a futex that ends without cause.
    case futexWait
}

/// Which call of a group of threads fails, and what the group holds. Its counts are atomic, and relaxed: by themselves
/// numbers, read exactly once the other threads are joined.
package final class FailurePlan: Sendable {
    /// The kinds that are counted, and fail. immutable
    package let kinds: Set<FailureKind>
    /// Which call fails, from 1 on; 0: none. immutable
    package let ordinal: Int
    /// Whether all later ones fail, too. immutable
    package let isLasting: Bool
    /// The only thread whose calls are counted; 0: those of the whole group. immutable
    private let thread: UInt

    private let isShort: Atomic<Bool>
    private let callCounter = Atomic<Int>(0)
    private let failureCounter = Atomic<Int>(0)
    private let firstFailure = Atomic<UInt32>(.max)
    private let blockCounter = Atomic<Int>(0)
    private let byteCounter = Atomic<Int>(0)

    /// - Parameter callerAlone: calls of the calling thread are counted, those of threads that it starts are not.
    /// - Parameter isShort: false: nothing fails before `beginShortage`.
    package init(
        _ kinds: Set<FailureKind>, ordinal: Int, isLasting: Bool = false, callerAlone: Bool = false,
        isShort: Bool = true
    ) {
        self.isShort = Atomic(isShort)
        self.kinds = kinds
        self.ordinal = ordinal
        self.isLasting = isLasting
        thread = callerAlone ? sp_os_thread_identity() : 0
    }

    /// How many calls of the chosen kinds there were.
    package var callCount: Int { callCounter.load(ordering: .relaxed) }
    /// How many failed.
    package var failureCount: Int { failureCounter.load(ordering: .relaxed) }
    /// What failed first.
    package var firstFailedKind: FailureKind? { FailureKind(rawValue: firstFailure.load(ordering: .relaxed)) }
    /// Blocks of `RawMemory` that the group has allocated and not freed; below zero: freed and not allocated.
    package var liveBlockCount: Int { blockCounter.load(ordering: .relaxed) }
    /// Addresses of `AddressSpace` that the group has reserved and not released, in bytes.
    package var reservedByteCount: Int { byteCounter.load(ordering: .relaxed) }

    /// From now on calls are counted and fail, or neither. What is allocated and freed is counted in either case.
    package func beginShortage() { isShort.store(true, ordering: .relaxed) }
    package func endShortage() { isShort.store(false, ordering: .relaxed) }

    fileprivate func asks(_ kind: FailureKind) -> Bool {
        guard isShort.load(ordering: .relaxed), kinds.contains(kind),
            thread == 0 || thread == sp_os_thread_identity()
        else { return false }
        let number = callCounter.wrappingAdd(1, ordering: .relaxed).newValue
        guard ordinal > 0, number == ordinal || isLasting && number > ordinal else { return false }
        failureCounter.wrappingAdd(1, ordering: .relaxed)
        _ = firstFailure.compareExchange(expected: .max, desired: kind.rawValue, ordering: .relaxed)
        return true
    }

    fileprivate func note(blocks: Int, bytes: Int) {
        blockCounter.wrappingAdd(blocks, ordering: .relaxed)
        byteCounter.wrappingAdd(bytes, ordering: .relaxed)
    }

    /// The calling thread's plan.
    package static var current: FailurePlan? {
        unsafe sp_failure_plan().map { unsafe Unmanaged<FailurePlan>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs `body` with this plan on the calling thread, and on those that it starts meanwhile.
    package func withPlan<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = unsafe sp_failure_plan()
        unsafe sp_set_failure_plan(Unmanaged.passUnretained(self).toOpaque())
        defer { unsafe sp_set_failure_plan(before) }
        return try body()
    }

    /// Runs `body` with nothing failing and nothing counted: what a test does beside its scenario.
    package static func withoutPlan<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = unsafe sp_failure_plan()
        sp_set_failure_plan(nil)
        defer { unsafe sp_set_failure_plan(before) }
        return try body()
    }
}

/// Where calls ask.
package enum FailurePoint {
    /// Whether this call shall fail.
    @inline(__always)
    package static func fails(_ kind: FailureKind) -> Bool {
        unsafe sp_failure_plan() == nil ? false : failsSlow(kind)
    }

    /// Counts blocks allocated, or freed if below zero.
    @inline(__always)
    static func note(blocks: Int) { if unsafe sp_failure_plan() != nil { noteSlow(blocks: blocks, bytes: 0) } }

    /// Counts bytes of addresses reserved, or released if below zero.
    @inline(__always)
    static func note(reservedBytes: Int) {
        if unsafe sp_failure_plan() != nil { noteSlow(blocks: 0, bytes: reservedBytes) }
    }

    @inline(never)
    private static func failsSlow(_ kind: FailureKind) -> Bool { FailurePlan.current!.asks(kind) }

    @inline(never)
    private static func noteSlow(blocks: Int, bytes: Int) {
        FailurePlan.current!.note(blocks: blocks, bytes: bytes)
    }

    // MARK: Handing a plan to a new thread

    /// The calling thread's plan, kept for a thread that is about to start.
    static func keepForNewThread() -> UnsafeMutableRawPointer? {
        guard let plan = FailurePlan.current else { return nil }
        return unsafe Unmanaged.passRetained(plan).toOpaque()
    }

    /// Takes `keepForNewThread` back: the thread has not started, or has ended.
    static func letGo(_ plan: UnsafeMutableRawPointer?) {
        if let plan = unsafe plan { unsafe Unmanaged<FailurePlan>.fromOpaque(plan).release() }
    }
}
