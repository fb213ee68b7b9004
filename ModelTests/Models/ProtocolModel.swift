#if ModelCheck
// A model of a protocol: a small program that runs the protocol's own source on the model checker.

import StillpointModel
import StillpointSynchronization

/// How much time there is.
enum Budget {
    /// Seconds a model: what continuous integration runs.
    case smoke
    /// Minutes a model: deeper bounds, and more runs by chance.
    case long
}

struct ProtocolModel: @unchecked Sendable {
    /// As `event: set against wait`: the protocol, then the situation.
    let name: String
    /// What is shown, in a sentence; invariants by their short names.
    let about: String
    /// Something is done wrong on purpose: each exploration must fail, with a message that contains this.
    let mistake: String?
    /// The mistake is an embedder's, and the protocol's to diagnose by that message. (Else it is the model's own: it shows
    /// what the checker sees, and says nothing of a mutant.)
    let isDiagnosis: Bool
    /// What is explored when time is short.
    let smoke: [ExplorationStrategy]
    /// What is explored beyond that when it is not.
    let long: [ExplorationStrategy]
    /// Outcomes that some run has to come to: else a model whose threads never meet would pass.
    private(set) var mustShow: Set<String> = []
    /// Describes one run. Called for each.
    let setUp: (Model) -> Void

    /// The same, with outcomes that must occur.
    func showing(_ outcomes: [String]) -> ProtocolModel {
        var model = self
        model.mustShow = Set(outcomes)
        return model
    }

    init(
        _ name: String, _ about: String, failsBy mistake: String? = nil, diagnosedAs diagnosis: String? = nil,
        smoke: [ExplorationStrategy],
        long: [ExplorationStrategy] = [], setUp: @escaping (Model) -> Void
    ) {
        self.name = name
        self.about = about
        self.mistake = mistake ?? diagnosis
        isDiagnosis = diagnosis != nil
        self.smoke = smoke
        self.long = long
        self.setUp = setUp
    }

    func strategies(_ budget: Budget) -> [ExplorationStrategy] {
        switch budget {
        case .smoke: smoke
        case .long: long.isEmpty ? smoke : long
        }
    }

    /// Whether an exploration came to what it must.
    func isRight(_ report: ExplorationReport) -> Bool {
        guard let mistake else { return report.failure == nil }
        return report.failure?.message.contains(mistake) ?? false
    }

    /// Of a failure that must come, the message and no more.
    func describe(_ report: ExplorationReport) -> String {
        guard let mistake else { return "\(report)" }
        guard isRight(report) else { return "\(report)\n  it must fail by: \(mistake)" }
        return "\(name): \(report.strategy): fails in run \(report.runs), as it must: \(report.failure!.message)"
    }

    /// Explores until something fails. No locks are as specified unless the set-up says so.
    func explore(
        _ strategy: ExplorationStrategy, timeLimitSeconds: Double? = nil, mutant: Mutant? = nil, sites: SiteList? = nil
    ) -> ExplorationReport {
        let exploration = Exploration(strategy, timeLimitSeconds: timeLimitSeconds, mutant: mutant, sites: sites)
        let report = exploration.run(name) { model in
            Specification.reset()
            setUp(model)
        }
        // The run that failed has left its waiters behind.
        if report.failure != nil { ParkingLot.resetAfterForkInChild() }
        return report
    }
}
#endif
