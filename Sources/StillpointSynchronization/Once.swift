// Once: something is done by the first thread that needs it, and the others wait until it is done.
// If it fails it is not done, and another thread tries. After CPython's `_PyOnceFlag`.
//
// States, and who makes each move:
//
//                whoever is first             a thread that goes to park
//   not done ------------------------> running -----------------> running, PARKED
//      ^                               |    |                         |     |
//      |    the runner: it has thrown  |    |  the runner: it is done |     |
//      +-------------------------------+    +------> done <-----------+     |
//      +--------------------------------------------------------------------+
//                     (the runner wakes all in either case)
//
// O1  At most one thread is the runner; done is for ever.
// O2  The runner touches the word no more after it has left `running`.
//
// Lock order: none but the parking lot's; the body runs with no lock held.
//
// [done]  the body's writes  ->  the reads of every thread that `run` has returned to
// [try]   the writes of a body that threw  ->  the reads of the next body

public import StillpointPlatform

/// Runs something once. Not run yet is zero.
///
/// Any number of threads may call. A body must not call `run` of the same `Once` on its own thread,
/// which ends the process. It blocks the OS thread.
public struct Once: ~Copyable, Sendable {
    /// Atomic, edges [done] [try].
    @usableFromInline let state = Atomic<UInt8>(0)
    /// `CallingThread.identity` of the runner, 0 while nobody runs. Atomic, no edge: a thread looks
    /// for itself alone.
    private let runner = Atomic<UInt>(0)

    @usableFromInline static var done: UInt8 { 4 }
    private static let running: UInt8 = 1
    private static let parked: UInt8 = 2

    /// Not run yet.
    public init() {}

    /// Whether the body has run to its end.
    @inlinable public var isDone: Bool {
        state.load(ordering: .acquiring) == Self.done  // acquiring: [done]
    }

    /// Runs `body` if none has run to its end yet, or waits for the thread that is about to.
    ///
    /// - Returns: Whether this call has run it.
    /// - Throws: What `body` throws; then it counts as not run.
    @inlinable
    @discardableResult
    public borrowing func run<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) -> Bool {
        if isDone { return false }
        guard claim() else { return false }
        do {
            try body()
        } catch {
            finish(isDone: false)
            throw error
        }
        finish(isDone: true)
        return true
    }

    /// In the child of a fork: a body that was running in a thread which the child does not have
    /// counts as not run.
    public borrowing func resetAfterForkInChild() {
        // relaxed: one thread in the process.
        if state.load(ordering: .relaxed) != Self.done,
            runner.load(ordering: .relaxed) != Self.thread
        {
            state.store(0, ordering: .relaxed)
            runner.store(0, ordering: .relaxed)
        }
    }

    // MARK: The runner's side

    /// Makes this thread the runner; false if it is done. Sleeps while another runs.
    @usableFromInline
    borrowing func claim() -> Bool {
        var backoff = Backoff()
        while true {
            // acquiring: [done].
            let seen = state.load(ordering: .acquiring)
            if seen == Self.done { return false }
            if seen == 0 {
                // acquiring: [try]. relaxed: the load at the loop's head looks again.
                let (exchanged, _) = state.compareExchange(
                    expected: 0, desired: Self.running, successOrdering: .acquiring,
                    failureOrdering: .relaxed)
                if exchanged {
                    runner.store(Self.thread, ordering: .relaxed)  // for this thread's own eyes
                    return true
                }
                continue
            }
            // relaxed: only this thread stores its own identity.
            require(
                runner.load(ordering: .relaxed) != Self.thread,
                "Once: the body has called its own Once")
            if seen & Self.parked == 0 {
                if backoff.wait() { continue }
                // relaxed: it only announces; `validate` looks again.
                let parked = Self.running | Self.parked
                let (exchanged, _) = state.compareExchange(
                    expected: seen, desired: parked, ordering: .relaxed)
                guard exchanged else { continue }
            }
            // relaxed: the load at the loop's head is the one that counts.
            _ = unsafe ParkingLot.park(
                at: key,
                validate: {
                    recheck("once.park", state.load(ordering: .relaxed) == Self.running | Self.parked)
                })
        }
    }

    @usableFromInline
    borrowing func finish(isDone: Bool) {
        runner.store(0, ordering: .relaxed)  // as in `claim`
        // releasing: [done] or [try].
        let old = state.exchange(isDone ? Self.done : 0, ordering: .releasing)
        assert(old & Self.running != 0)
        // O2: a key and no more.
        if !recheck("once.nobodyParked", old & Self.parked == 0) { unsafe ParkingLot.unparkAll(at: key) }
    }

    private static var thread: UInt { CallingThread.identity }

    private var key: UnsafeRawPointer { unsafe withUnsafePointer(to: state) { unsafe .init($0) } }
}
