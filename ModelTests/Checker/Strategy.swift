// The ways of exploring a model that a test can ask for.

/// Which runs are made.
public enum ExplorationStrategy: Sendable, CustomStringConvertible {
    /// Every run with at most so many preemptions (a thread is left that could go on; a deadline passes early) and so
    /// many loads and stores that are not of the newest value. `nil`: no bound.
    case depthFirst(preemptions: Int?, staleReads: Int?)
    /// Every run, without those that differ only in the order of steps that do not depend on each other.
    case sleepSets(staleReads: Int?)
    /// Runs drawn at random.
    case random(seed: UInt64, runs: Int)
    /// Runs by random priorities, changed at `depth` - 1 random steps.
    case priorities(seed: UInt64, depth: Int, runs: Int)
    /// The run of a token of a failure report.
    case replay(String)

    public var description: String {
        func bound(_ number: Int?) -> String { number.map(String.init) ?? "any number of" }
        return switch self {
        case .depthFirst(let preemptions, let staleReads):
            "depth first, \(bound(preemptions)) preemptions, \(bound(staleReads)) stale reads"
        case .sleepSets(let staleReads): "sleep sets, \(bound(staleReads)) stale reads"
        case .random(let seed, let runs): "random, seed \(seed), \(runs) runs"
        case .priorities(let seed, let depth, let runs): "priorities, seed \(seed), depth \(depth), \(runs) runs"
        case .replay(let token): "replay of \(token)"
        }
    }

    /// Nil: the token is none.
    func makeExplorer() -> Explorer? {
        switch self {
        case .depthFirst(let preemptions, let staleReads):
            DepthFirstExplorer(preemptions: preemptions, staleReads: staleReads)
        case .sleepSets(let staleReads): SleepSetExplorer(staleReads: staleReads)
        case .random(let seed, _): RandomExplorer(seed: seed)
        case .priorities(let seed, let depth, _): PriorityExplorer(seed: seed, depth: depth)
        case .replay(let token): ChoiceLog.indices(of: token).map(ReplayExplorer.init)
        }
    }

    var runLimit: Int {
        switch self {
        case .depthFirst, .sleepSets: .max
        case .random(_, let runs), .priorities(_, _, let runs): runs
        case .replay: 1
        }
    }
}
