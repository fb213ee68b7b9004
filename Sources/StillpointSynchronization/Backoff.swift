// How a thread waits before it parks: a word that is about to change is cheaper to watch than to sleep for.

internal import StillpointPlatform

/// Bounded waiting: each round is longer than the one before, the last ones give the processor away.
struct Backoff {
    /// Rounds of 1, 2, 4 … spin hints.
    static let spinRounds = 8
    /// Rounds that yield, after those.
    static let yieldRounds = 20

    private var round = 0

    /// Waits for one round. False, and no wait, when it is time to park.
    mutating func wait() -> Bool {
        guard round < Self.spinRounds + Self.yieldRounds else { return false }
        pause()
        return true
    }

    /// Waits for one round, for a word that nobody parks on: without end.
    mutating func waitWithoutEnd() { pause() }

    private mutating func pause() {
        if round < Self.spinRounds {
            for _ in 0..<(1 << round) { spinHint() }
            round += 1
        } else {
            SystemThread.yield()
            if round < Self.spinRounds + Self.yieldRounds { round += 1 }
        }
    }
}
