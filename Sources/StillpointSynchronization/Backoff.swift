// How a thread waits before it parks: a word that is about to change is cheaper to watch than to
// sleep for. A sleep and a wake between two cores cost some 100 microseconds; the spin is bounded
// to a tenth of that.
//
// It does not give the processor away before it parks. Measured with 2 and 4 threads on 2 busy
// cores, yielding won nothing in throughput, and cost fairness: a thread that has yielded is not
// queued, so it cannot be handed the lock.

internal import StillpointPlatform

/// Bounded waiting: each round is twice as long as the one before.
struct Backoff {
    /// Rounds of 1, 2, 4 … spin hints: 511 in all.
    static var spinRounds: Int { spinLimit(9) }

    private var round = 0

    /// Waits for one round. False, and no wait, when it is time to park.
    mutating func wait() -> Bool {
        guard round < Self.spinRounds else { return false }
        for _ in 0..<(1 << round) { spinHint() }
        round += 1
        return true
    }

    /// Waits for one round; when it has spun for long, by yielding. For a word that nobody can park
    /// on.
    mutating func waitWithoutEnd() {
        if !wait() { SystemThread.yield() }
    }
}
