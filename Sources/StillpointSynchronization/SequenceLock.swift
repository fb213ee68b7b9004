// A sequence lock: readers write nothing, and read again when a writer came between. After
// CPython's `_PySeqLock`.
//
// The number, and who makes each move:
//
//                 a writer, by exchange
//   even (at rest) -------------------> odd (being written)
//        ^                                |
//        +--------------------------------+   that writer: + 1 when it has written, - 1 if nothing
//
// S1  The payload is written while the number is odd, by the thread that made it so.
// S2  A reader that has found the same even number before and after has read a payload that one
//     writer left.
//
// The discipline for the payload: every field is an `Atomic`; a writer stores with `.releasing`, a
// reader loads with `.acquiring`. No fence is needed, and none is used:
//   - a reader that sees a field of a write under way has acquired what that writer did before, its
//     odd number among it ([field]), so that its second look finds the number changed;
//   - the second look cannot move before the loads of the fields, since these acquire.
// With relaxed fields both would need fences. On x86-64 and arm64 these loads and stores cost what
// relaxed ones do, or little more.
//
// Lock order: a writer takes no lock, runs no safepoint and does not sleep: readers spin until it
// is done.
//
// [begin]  the last writer's writes  ->  the next writer's
// [field]  a writer's odd number     ->  the second look of a reader that has seen one of its
//          fields
// [end]    a writer's writes         ->  the reads of a reader that found its even number

public import StillpointPlatform

/// A sequence lock of four bytes, for a payload of atomic fields (see the discipline above). At
/// rest is zero.
///
/// Readers never write, never sleep and never hold up a writer. Writers exclude each other by
/// spinning: writes are
/// short and rare. A reader that is slower than 2^31 writes is not protected.
public struct SequenceLock: ~Copyable, Sendable {
    /// Atomic, edges [begin] [field] [end].
    @usableFromInline let number = Atomic<UInt32>(0)

    /// At rest.
    public init() {}

    // MARK: Readers

    /// Begins to read; waits while a writer writes.
    @inlinable
    public borrowing func beginRead() -> UInt32 {
        let seen = number.load(ordering: .acquiring)  // acquiring: [end]
        return seen & 1 == 0 ? seen : waitForRest()
    }

    /// Whether what was read since `beginRead` returned `sequence` is whole. If not: read again.
    @inlinable
    public borrowing func endRead(_ sequence: UInt32) -> Bool {
        // relaxed: the fields' acquiring loads keep it behind them, and [field] brings the odd
        // number.
        number.load(ordering: .relaxed) == sequence
    }

    /// Runs `body` until it has read a payload that is whole. The body reads the fields and has no
    /// other effect.
    @inlinable
    public borrowing func read<Result>(_ body: () -> Result) -> Result {
        while true {
            let sequence = beginRead()
            let result = body()
            if endRead(sequence) { return result }
        }
    }

    // MARK: Writers

    /// Begins to write; waits while another writer writes.
    public borrowing func beginWrite() {
        var backoff = Backoff()
        while true {
            // relaxed: the exchange decides.
            let seen = number.load(ordering: .relaxed)
            // acquiring: [begin]. That the odd number is seen before the fields is the fields' own
            // edge, [field]. relaxed: a failure is followed by another try.
            if seen & 1 == 0 {
                let (exchanged, _) = number.compareExchange(
                    expected: seen, desired: seen &+ 1, successOrdering: .acquiring,
                    failureOrdering: .relaxed)
                if exchanged { return }
            }
            backoff.waitWithoutEnd()
        }
    }

    /// Ends the write.
    public borrowing func endWrite() {
        let seen = number.load(ordering: .relaxed)  // this thread's own
        require(seen & 1 == 1, "SequenceLock: the end of a write that has not begun")
        number.store(seen &+ 1, ordering: .releasing)  // releasing: [begin] [end]
    }

    /// Ends a write in which nothing was written: readers under way need not read again.
    public borrowing func abandonWrite() {
        let seen = number.load(ordering: .relaxed)  // this thread's own
        require(seen & 1 == 1, "SequenceLock: the end of a write that has not begun")
        // releasing: [begin], and [end] of the writer before, whose even number comes back.
        number.store(seen &- 1, ordering: .releasing)
    }

    /// Runs `body` as the writer.
    public borrowing func write<Result>(_ body: () -> Result) -> Result {
        beginWrite()
        defer { endWrite() }
        return body()
    }

    /// In the child of a fork: at rest, also if a thread that the child does not have was writing.
    /// True if one was: the payload may be half written.
    public borrowing func resetAfterForkInChild() -> Bool {
        // relaxed: one thread in the process.
        let seen = number.load(ordering: .relaxed)
        guard seen & 1 == 1 else { return false }
        number.store(seen &+ 1, ordering: .relaxed)
        return true
    }

    @usableFromInline @inline(never)
    borrowing func waitForRest() -> UInt32 {
        var backoff = Backoff()
        while true {
            let seen = number.load(ordering: .acquiring)  // acquiring: [end]
            if seen & 1 == 0 { return seen }
            backoff.waitWithoutEnd()
        }
    }
}
