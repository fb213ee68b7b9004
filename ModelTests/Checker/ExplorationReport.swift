// What an exploration comes to.

internal import CStillpointModel

/// What was explored, and what was found.
public struct ExplorationReport: Sendable, CustomStringConvertible {
    public let model: String
    public let strategy: String
    /// Runs made, without the redundant ones.
    public internal(set) var runs = 0
    /// Runs that turned out, on the way, to repeat an earlier one in another order.
    public internal(set) var redundantRuns = 0
    /// Every run that the strategy allows was made, and none failed.
    public internal(set) var isExhausted = false
    public internal(set) var failure: ModelFailureReport?
    /// How many runs came to each outcome that the model names.
    public internal(set) var outcomes: [String: Int] = [:]
    /// Digests of what the threads did and saw: how much of the state space was covered. Behaviours, not schedules:
    /// runs that no thread can tell apart count once.
    public internal(set) var behaviours: Set<UInt64> = []
    /// Changes of an atomic's memory that the checker was not told of: a seam that is whole has none.
    public internal(set) var unreportedChanges = 0
    public internal(set) var longestRun = 0
    public internal(set) var steps = 0
    public internal(set) var seconds = 0.0
    /// Of the OS thread that explored: what speed is measured by, as other programs run meanwhile.
    public internal(set) var processorSeconds = 0.0

    /// Whether a sanitizer is at work: traps then end the process, not the run.
    public static var isSanitizedBuild: Bool { sp_model_is_sanitized() != 0 }

    init(model: String, strategy: String) {
        self.model = model
        self.strategy = strategy
    }

    /// Of processor time.
    public var runsPerSecond: Double {
        processorSeconds > 0 ? Double(runs + redundantRuns) / processorSeconds : 0
    }

    mutating func note(_ execution: Execution, _ explorer: Explorer) {
        longestRun = max(longestRun, execution.stepCount)
        steps += execution.stepCount
        unreportedChanges += execution.memory.unreportedChangeCount
        if explorer.isRedundant {
            redundantRuns += 1
            return
        }
        runs += 1
        guard execution.failure == nil else { return }
        behaviours.insert(execution.model.digestOutcome)
        if let outcome = execution.model.outcome { outcomes[outcome, default: 0] += 1 }
    }

    public var description: String {
        var text = "\(model): \(strategy): \(runs) runs"
        if redundantRuns > 0 { text += " (and \(redundantRuns) redundant)" }
        text += isExhausted ? ", exhausted" : failure == nil ? ", not exhausted" : ", failed"
        text += ", \(behaviours.count) behaviours, longest run \(longestRun) steps, \(Int(runsPerSecond)) runs/s"
        if unreportedChanges > 0 { text += ", \(unreportedChanges) CHANGES NOT REPORTED" }
        for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) { text += "\n  \(outcome): \(count)" }
        if let failure { text += "\n\(failure)" }
        return text
    }
}
