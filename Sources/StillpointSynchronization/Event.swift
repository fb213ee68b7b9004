// An event: threads wait until some thread says that it has happened. After CPython's `PyEvent`,
// with a reset.
//
// The word holds SET (1), PARKED (2) and, above them, how often the event has been set. Its states,
// and who makes each move:
//
//              a thread that goes to park
//   unset ----------------------------------> unset, PARKED
//     |  ^                                         |
//     |  |  whoever resets                         |  whoever sets: it wakes all
//     |  +--------------------- set <--------------+
//     +-------------------------> ^
//            whoever sets
//
// E1  A waiter returns if the event is set, or has been set since the waiter came: a reset that
//     overtakes a waiter on its way out does not send it back. So a wake alone means nothing, and
//     one that comes late, from an earlier event in the same memory, does no harm.
// E2  Whoever sets touches the word no more after the exchange: a waiter that has seen it may free
//     the event.
//
// Lock order: none but the parking lot's.
//
// [set]  the writes of the thread that sets, before it does  ->  the reads of a waiter after its
//        wait

internal import StillpointPlatform

/// An event of four bytes. Unset is zero.
///
/// Any number of threads may wait, set and reset, at any time. Waiting blocks the OS thread. The
/// word must stay where it is while anybody waits.
public struct Event: ~Copyable, Sendable {
    /// Atomic, edge [set].
    private let word = Atomic<UInt32>(0)

    private static let set: UInt32 = 1
    private static let parked: UInt32 = 2
    private static let once: UInt32 = 4

    /// Unset.
    public init() {}

    /// Whether the event is set: what was done before is seen.
    public var isSet: Bool {
        word.load(ordering: .acquiring) & Self.set != 0  // acquiring: [set]
    }

    /// Sets the event and wakes all who wait. Nothing if it is set already.
    public borrowing func set() {
        // relaxed: the exchange decides. Also when the event is set already, it is an exchange, so
        // that this thread's writes, too, come before the reads of those who see the event set from
        // now on.
        var old = word.load(ordering: .relaxed)
        while true {
            let new = old & Self.set != 0 ? old : ((old & ~3) &+ Self.once) | Self.set
            let (exchanged, original) = word.weakCompareExchange(
                // releasing: [set]. What setters before it wrote stays in the release sequence.
                expected: old, desired: new, successOrdering: .releasing,
                failureOrdering: .relaxed)
            if exchanged { break }
            old = original
        }
        // E2: from here on the address is a key and no more.
        if !recheck("event.nobodyParked", old & Self.parked == 0) { unsafe ParkingLot.unparkAll(at: key) }
    }

    /// Unsets the event.
    public borrowing func reset() {
        // acquiring: [set], so that the resetting thread sees what the setter did.
        word.bitwiseAnd(~Self.set, ordering: .acquiring)
    }

    /// Waits until the event is set.
    public borrowing func wait() { _ = wait(untilNanoseconds: nil) }

    /// Waits until the event is set; false if it was not until `deadline` (nanoseconds of
    /// `MonotonicClock`).
    public borrowing func wait(untilNanoseconds deadline: UInt64?) -> Bool {
        // acquiring, here and below: [set].
        var seen = word.load(ordering: .acquiring)
        let count = seen & ~3
        while seen & Self.set == 0 && recheck("event.count", seen & ~3 == count) {  // E1
            if seen & Self.parked == 0 {
                // relaxed: it only announces; `validate` looks again under the bucket's lock.
                _ = word.compareExchange(
                    expected: seen, desired: seen | Self.parked, ordering: .relaxed)
            }
            let expected = count | Self.parked
            let outcome = unsafe ParkingLot.park(
                at: key, untilNanoseconds: deadline,
                // relaxed: the load below is the one that counts.
                validate: { recheck("event.park", word.load(ordering: .relaxed) == expected) })
            seen = word.load(ordering: .acquiring)
            if outcome == .timedOut { return seen & Self.set != 0 || seen & ~3 != count }
        }
        return true
    }

    /// In the child of a fork: forgets that threads waited. Whether the event is set stays.
    public borrowing func resetAfterForkInChild() {
        word.bitwiseAnd(~Self.parked, ordering: .relaxed)  // one thread in the process
    }

    private var key: UnsafeRawPointer { unsafe withUnsafePointer(to: word) { unsafe .init($0) } }
}
