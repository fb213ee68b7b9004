// The record of one stop: who asked, and how many attached threads are still to suspend themselves.

internal import StillpointPlatform

/// The stop of an interpreter (in its roster) or of a runtime (in its world). It exists once and is used again
/// and again, so a thread that has just told it is never left with a dangling address.
public struct Stop: ~Copyable {
    /// From the turn being granted to the threads being let go. guarded by the roll
    var isActive = false
    /// From the walk that asks to the walk that lets go. guarded by the roll
    var hasAsked = false
    /// Pauses of this interpreter by who holds its lock: they stop nobody. guarded by the roll
    var excludedCount = 0
    /// Stops inside this one that it covers, not ended yet. guarded by the roll
    var coveredCount = 0
    /// The OS thread whose turn it is. guarded by the roll
    var requester: UInt = 0

    /// One for the stopper while it walks, and one for each attached thread that it has asked. Futex word of
    /// the stopper. atomic, edges [park]
    let countdown = Atomic<UInt32>(0)

    init() {}

    /// Whether a pause is, or may be, under way. The roll is held.
    var hasPause: Bool { hasAsked || excludedCount > 0 }

    /// Says that a thread that was asked is now suspended, or gone. The last one wakes the stopper.
    /// [park] the thread's writes before it suspended  ->  the stopper's reads in the pause; each arrival carries on
    /// the edges of those before it, being a change of one word
    static func arrive(at stop: UnsafeMutablePointer<Stop>) {
        let left = unsafe stop.pointee.countdown.wrappingSubtract(1, ordering: .releasing).newValue
        assert(left != UInt32.max, "more threads arrived than were asked")
        if left == 0 { unsafe Futex.wake(countdownAddress(of: stop)) }
    }

    /// Waits until all that were asked have arrived: spins a little, since a polling thread answers within
    /// a microsecond, then sleeps. False when `deadline` came first.
    static func waitForAll(
        at stop: UnsafeMutablePointer<Stop>, untilNanoseconds deadline: UInt64?
    ) -> Bool {
        for _ in 0..<spinCount {
            if unsafe stop.pointee.countdown.load(ordering: .acquiring) == 0 { return true }
            spinHint()
        }
        while true {
            let left = unsafe stop.pointee.countdown.load(ordering: .acquiring)  // [park]
            if left == 0 { return true }
            let outcome = unsafe Futex.wait(
                on: countdownAddress(of: stop), while: left, untilNanoseconds: deadline)
            if outcome == .timedOut { return false }
        }
    }

    /// How often the stopper looks before it sleeps.
    private static var spinCount: Int { spinLimit(400) }

    private static func countdownAddress(
        of stop: UnsafeMutablePointer<Stop>
    ) -> UnsafePointer<Atomic<UInt32>> {
        unsafe withUnsafePointer(to: stop.pointee.countdown) { unsafe $0 }
    }
}

/// A stop that waits for its turn, on its requester's stack.
@safe struct StopRequest: ~Copyable {
    /// The interpreter, or `nil` for all. immutable
    let scope: UnsafeMutablePointer<Roster>?
    /// immutable
    let requester: UInt
    /// 1 once the turn is ours. Futex word. atomic, edge [turn]: the last stop's writes -> this stop's reads
    let isGranted = Atomic<UInt32>(0)
    /// guarded by the roll
    var next: UnsafeMutablePointer<StopRequest>?

    init(scope: UnsafeMutablePointer<Roster>?, requester: UInt) {
        unsafe self.scope = scope
        self.requester = requester
        unsafe next = nil
    }
}
