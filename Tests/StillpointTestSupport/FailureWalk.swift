// The failure walk: a scenario runs again and again, with its first call of a kind failing, then the second, and so on,
// until a run is through before its turn comes; then the next kind. After each run: the error surfaced with its type, or the
// failure was borne; no block and no address range is left. A crash is a crash of the test, as for any other; what a scenario checks
// itself (`checkInvariants`, what can be done after the failure) it checks in every run.

import StillpointPlatform
import Testing

/// What came of the failure in one run.
package struct FailureStep: CustomStringConvertible, Sendable {
    package enum Outcome: Sendable {
        /// The scenario threw what it may throw.
        case surfaced
        /// The scenario ended as if nothing had failed.
        case borne
    }

    /// Which call failed, counted from 1 in its run.
    package let ordinal: Int
    package let kind: FailureKind
    package let outcome: Outcome

    package var description: String { "call \(ordinal) (\(kind)) \(outcome)" }
}

/// A walk over the calls of a scenario.
package struct FailureWalk {
    /// What fails: one kind after the other, so that a kind whose calls vary from run to run, as waits do, does not
    /// change the numbers of the others.
    package var kinds: Set<FailureKind>
    /// Whether from the failing call on all others fail too, to the end of the run: a shortage of all kinds together. Waits
    /// are none of them: that they end too early is no shortage.
    package var isLasting = false
    /// Whether only the calls of the thread that runs the scenario fail: its numbers are the same in every run.
    package var isOfCallerAlone = false
    /// Runs after which the walk gives up.
    package var limit = 3000

    package init(_ kinds: Set<FailureKind>) { self.kinds = kinds }

    /// Walks. Every run of `scenario` ends what it began, whether or not it throws.
    /// - Parameter isTyped: whether an error is one that the scenario's calls promise for this kind of failure.
    /// - Returns: a step for each run with a failure.
    @discardableResult
    package func run(
        surfacing isTyped: (any Error) -> Bool, sourceLocation: SourceLocation = #_sourceLocation,
        _ scenario: () throws -> Void
    ) -> [FailureStep] {
        let walks = isLasting && kinds.count > 1
            ? [kinds.subtracting([.futexWait])]
            : FailureKind.allCases.filter(kinds.contains).map { [$0] }
        return walks.flatMap { run(failing: $0, surfacing: isTyped, sourceLocation, scenario) }
    }

    private func run(
        failing kinds: Set<FailureKind>, surfacing isTyped: (any Error) -> Bool, _ sourceLocation: SourceLocation,
        _ scenario: () throws -> Void
    ) -> [FailureStep] {
        var steps: [FailureStep] = []
        for ordinal in 1...limit {
            let plan = FailurePlan(
                kinds, ordinal: ordinal, isLasting: isLasting, callerAlone: isOfCallerAlone)
            let place = { "with call \(ordinal) failing (\(plan.firstFailedKind.map { "\($0)" } ?? "none")" + ")" }
            var outcome = FailureStep.Outcome.borne
            do {
                try plan.withPlan(scenario)
            } catch {
                outcome = .surfaced
                if plan.failureCount == 0 || !isTyped(error) {
                    Issue.record("\(error) \(place())", sourceLocation: sourceLocation)
                }
            }
            #expect(plan.liveBlockCount == 0, "blocks leaked \(place())", sourceLocation: sourceLocation)
            #expect(plan.reservedByteCount == 0, "addresses leaked \(place())", sourceLocation: sourceLocation)
            guard plan.failureCount > 0, let kind = plan.firstFailedKind else { return steps }
            steps.append(FailureStep(ordinal: ordinal, kind: kind, outcome: outcome))
        }
        Issue.record("no end after \(limit) runs", sourceLocation: sourceLocation)
        return steps
    }
}

extension [FailureStep] {
    /// How many failures of `kind` ended so.
    package func count(of kind: FailureKind, _ outcome: FailureStep.Outcome) -> Int {
        count { $0.kind == kind && $0.outcome == outcome }
    }
}
