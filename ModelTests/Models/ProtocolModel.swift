#if ModelCheck
// A model of a protocol: a small program that runs the protocol's own source on the model checker.

import StillpointModel

/// How much time there is.
enum Budget {
    /// Seconds a model: what continuous integration runs.
    case smoke
    /// Minutes a model: deeper bounds, and more runs by chance.
    case long
}

struct ProtocolModel {
    /// As `event: set against wait`: the protocol, then the situation.
    let name: String
    /// What is shown, in a sentence; invariants by their short names.
    let about: String
    /// What is explored when time is short.
    let smoke: [ExplorationStrategy]
    /// What is explored beyond that when it is not.
    let long: [ExplorationStrategy]
    /// What the protocol is without, so that some run fails: a bug of old that must be found. Empty: no run fails.
    let lacks: String
    /// Describes one run. Called for each.
    let setUp: (Model) -> Void

    init(
        _ name: String, _ about: String, smoke: [ExplorationStrategy], long: [ExplorationStrategy] = [],
        lacks: String = "", setUp: @escaping (Model) -> Void
    ) {
        self.name = name
        self.about = about
        self.smoke = smoke
        self.long = long
        self.lacks = lacks
        self.setUp = setUp
    }

    func strategies(_ budget: Budget) -> [ExplorationStrategy] {
        switch budget {
        case .smoke: smoke
        case .long: long.isEmpty ? smoke : long
        }
    }

    /// Explores until something fails. No locks are as specified unless the set-up says so.
    func explore(
        _ strategy: ExplorationStrategy, timeLimitSeconds: Double? = nil, mutant: Mutant? = nil, sites: SiteList? = nil
    ) -> ExplorationReport {
        Exploration(strategy, timeLimitSeconds: timeLimitSeconds, mutant: mutant, sites: sites).run(name) { model in
            Specification.reset()
            setUp(model)
        }
    }
}
#endif
