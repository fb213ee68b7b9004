// A reader-writer lock that starves neither side. After CPython's `_PyRWMutex`; that one wakes all
// who wait and lets them race, this one hands the lock over in turns ("phase-fair", Brandenburg and
// Anderson 2010).
//
// The problem: readers that overlap keep a writer out for ever; a stream of writers keeps readers
// out for ever; and to wake everybody at each change is a stampede.
//
// The word: WRITER (1), PARKED (2), and 4 for each reader that is inside. Who makes each move:
//
//   4n   -> 4(n + 1)      a reader                                                 [write]
//   4n   -> 4(n - 1)      a reader that leaves                                     [read]
//   0    -> 1             a writer                                                 [write] [read]
//   1    -> 0             the writer                                               [write]
//   1    -> 3             a thread that goes to park
//   4n   -> 4n + 2        a writer that goes to park (n > 0)
//   4n+2 -> 4(n - 1) + 2  a reader that leaves, not the last (n > 1)               [read]
//   6    -> 1, 3          the last reader, under the bucket's lock: it hands over to the first writer
//                         in the queue; if there is none, 6 -> 4n, all readers in it    [hand-over]
//   3    -> 4n, 4n + 2    the writer, under the bucket's lock: it hands over to all readers in the
//                         queue; if there is none, 3 -> 1, 3, its first writer          [hand-over]
//   3, 6 -> 0             under the bucket's lock, the queue being empty           [write] [read]
//
// PARKED stays set if others wait still.
//
// W1  PARKED is never set on a free lock; a lock with PARKED set is never let go but handed over,
//     under the bucket's lock, to threads taken from the queue in the same step; it becomes free
//     only when the queue is empty.
// W2  No thread enters while PARKED is set: who comes then queues up. So a thread that waits is
//     overtaken by none that comes later, except a writer by readers, once for each writer ahead.
// W3  After readers comes a writer, if one is queued; after a writer come all readers queued at
//     that moment, if any. So a reader waits for one writer at most beyond those that hold the lock
//     when it comes, and a writer for one turn of readers and one writer for each writer ahead of
//     it.
// W4  After the exchange or the hand-over the leaving thread touches the word no more.
//
// Lock order: the bucket's lock is taken inside, and is innermost. Not recursive, in no
// combination: a reader that reads again while a writer waits has deadlocked.
//
// [write]      a writer's writes before it leaves  ->  the reads of those who enter later
// [read]       a reader's reads before it leaves   ->  the writes of the next writer
// [hand-over]  both of them, when the lock is handed over: by way of [wake] of ParkingLot.swift;
//              the last reader has acquired [read] from the other readers by its look at the word

internal import StillpointPlatform

/// A lock that many readers or one writer hold, in four bytes. Free is zero. It blocks the OS
/// thread. The word must stay where it is while anybody uses it.
public struct ReaderWriterLock: ~Copyable, Sendable {
    /// Atomic, edges [write] [read] [hand-over].
    private let word = Atomic<UInt32>(0)

    private static let writer: UInt32 = 1
    private static let parked: UInt32 = 2
    private static let reader: UInt32 = 4
    /// Kinds of waiters in the parking lot.
    private static let readerKind: UInt = 0
    private static let writerKind: UInt = 1

    /// Unlocked.
    public init() {}

    /// The word, for tests and diagnosis: it may be another when it returns.
    public var rawWord: UInt32 { word.load(ordering: .relaxed) }  // an opinion: orders nothing

    // MARK: Readers

    /// Enters as a reader if nobody writes and nobody waits.
    public borrowing func tryLockForReading() -> Bool {
        // relaxed: the exchange decides.
        var old = word.load(ordering: .relaxed)
        while old & (Self.writer | Self.parked) == 0 {
            // acquiring: [write].
            let (exchanged, original) = word.weakCompareExchange(
                expected: old, desired: old + Self.reader, successOrdering: .acquiring,
                failureOrdering: .relaxed)
            if exchanged { return true }
            old = original
        }
        return false
    }

    /// Enters as a reader; sleeps while a writer holds the lock or others wait.
    public borrowing func lockForReading() {
        var backoff = Backoff()
        while !tryLockForReading() {
            if park(kind: Self.readerKind, backoff: &backoff) { return }
        }
    }

    /// Leaves as a reader. If no reader holds the lock, the process ends.
    public borrowing func unlockForReading() {
        // relaxed: the exchange, or the look under the bucket's lock, decides.
        var old = word.load(ordering: .relaxed)
        while true {
            guard old >= Self.reader, old & Self.writer == 0 else {
                fatalError("ReaderWriterLock: a reader leaves that has not entered")
            }
            if old == Self.reader | Self.parked {
                // The last reader, and no other can come (W2).
                return handOver(toWritersFirst: true)
            }
            // releasing: [read].
            let (exchanged, original) = word.weakCompareExchange(
                expected: old, desired: old - Self.reader, successOrdering: .releasing,
                failureOrdering: .relaxed)
            if exchanged { return }  // W4
            old = original
        }
    }

    /// Runs `body` as a reader.
    public borrowing func withReadLock<Result: ~Copyable, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lockForReading()
        defer { unlockForReading() }
        return try body()
    }

    // MARK: Writers

    /// Enters as the writer if the lock is free.
    public borrowing func tryLockForWriting() -> Bool {
        // acquiring: [write] [read].
        word.compareExchange(
            expected: 0, desired: Self.writer, successOrdering: .acquiring,
            failureOrdering: .relaxed
        ).exchanged
    }

    /// Enters as the writer; sleeps while others hold the lock.
    public borrowing func lockForWriting() {
        var backoff = Backoff()
        while !tryLockForWriting() {
            if park(kind: Self.writerKind, backoff: &backoff) { return }
        }
    }

    /// Leaves as the writer. If no writer holds the lock, the process ends.
    public borrowing func unlockForWriting() {
        // releasing: [write].
        let (exchanged, original) = word.compareExchange(
            expected: Self.writer, desired: 0, successOrdering: .releasing,
            failureOrdering: .relaxed)
        if exchanged { return }  // W4
        guard original == Self.writer | Self.parked else {
            fatalError("ReaderWriterLock: a writer leaves that has not entered")
        }
        handOver(toWritersFirst: false)
    }

    /// Runs `body` as the writer.
    public borrowing func withWriteLock<Result: ~Copyable, Failure>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lockForWriting()
        defer { unlockForWriting() }
        return try body()
    }

    /// In the child of a fork: free, whoever held it.
    public borrowing func resetAfterForkInChild() {
        word.store(0, ordering: .relaxed)  // one thread in the process
    }

    // MARK: Waiting and handing over

    /// Waits for a round, or in the queue. True: the lock was handed to the caller, as what `kind`
    /// says.
    @inline(never)
    private borrowing func park(kind: UInt, backoff: inout Backoff) -> Bool {
        // relaxed: the exchange, or `validate`, decides.
        let old = word.load(ordering: .relaxed)
        let shut = kind == Self.readerKind ? Self.writer | Self.parked : ~0
        if old & shut == 0 { return false }  // open by now
        if old & Self.parked == 0 {
            if backoff.wait() { return false }
            // relaxed: it only announces.
            let (exchanged, _) = word.compareExchange(
                expected: old, desired: old | Self.parked, ordering: .relaxed)
            guard exchanged else { return false }
        }
        // An unpark by anybody but `handOver` is a late one for something else at this address: it
        // brings token 0.
        let outcome = unsafe ParkingLot.park(
            at: key, kind: kind,
            validate: {
                recheck("readerWriterLock.park", word.load(ordering: .relaxed) & Self.parked != 0)
            })
        return outcome == .unparked(token: 1)  // [hand-over]
    }

    /// The caller leaves, and PARKED is set: nobody else can enter or leave until this is done.
    @inline(never)
    private borrowing func handOver(toWritersFirst: Bool) {
        unsafe ParkingLot.withWaiters(at: key) { waiters in
            // acquiring: [read], from readers that left before the last.
            let old = word.load(ordering: .acquiring)
            assert(old & Self.parked != 0 && (old >> 2) + (old & Self.writer) == 1)  // W1
            var new: UInt32 = 0
            if toWritersFirst, waiters.takeFirst(kind: Self.writerKind) {
                new = Self.writer
            } else {
                new = UInt32(waiters.takeAll(kind: Self.readerKind)) * Self.reader
                if new == 0, waiters.takeFirst(kind: Self.writerKind) { new = Self.writer }
            }
            if waiters.hasWaiter() { new |= Self.parked }
            assert(new != Self.parked)  // W1
            waiters.giveToken(1)
            word.store(new, ordering: .releasing)  // releasing: [write] or [read]
        }
    }

    private var key: UnsafeRawPointer { unsafe withUnsafePointer(to: word) { unsafe .init($0) } }
}
