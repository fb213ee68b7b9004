// What one run has in common: its options, its end, its counts, and what happens when a check fails.

import Glibc
import StillpointPlatform
import Synchronization

/// When a run ends.
struct RunBudget {
    var seconds: Double
    /// Of all workers; nil: only time ends the run.
    var operations: Int?
}

/// One run of one scenario. Shared by all its threads.
final class StressContext: Sendable {
    let scenario: String
    let seed: UInt64
    let threadCount: Int
    /// Whether rare paths are to be common. Scenarios shrink their constants by it.
    let isTorture: Bool
    let budget: RunBudget
    /// When workers stop at the latest, in nanoseconds of `MonotonicClock`.
    let deadlineNanoseconds: UInt64
    /// The run that this one is a part of: `mixed`.
    let parent: StressContext?
    let tally = Tally()
    let monitor: Monitor

    /// atomic, no edge: the monitor's word that it is over
    private let hasEnded = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)

    init(
        scenario: String, seed: UInt64, threadCount: Int, isTorture: Bool, budget: RunBudget,
        monitor: Monitor, parent: StressContext? = nil
    ) {
        self.scenario = scenario
        self.seed = seed
        self.threadCount = threadCount
        self.isTorture = isTorture
        self.budget = budget
        self.monitor = monitor
        self.parent = parent
        deadlineNanoseconds = MonotonicClock.nanoseconds() + UInt64(budget.seconds * 1e9)
    }

    var figures: RunFigures { tally.figures }
    var operationCount: Int { figures.operations }

    /// Whether the run is over.
    var isOver: Bool { hasEnded.load(ordering: .relaxed) || parent?.isOver == true }

    /// The monitor's look: whether time or operations are used up.
    func endIfDue(at nowNanoseconds: UInt64) {
        let isUsedUp = budget.operations.map { figures.operations >= $0 } ?? false
        if isUsedUp || nowNanoseconds >= deadlineNanoseconds { hasEnded.store(true, ordering: .relaxed) }
    }

    /// A generator for what is chosen before the workers start.
    var random: SplitMix64 { SplitMix64(seed: seed) }

    /// This run and those that it is a part of.
    var lineage: [StressContext] { [self] + (parent?.lineage ?? []) }

    /// Counts the pauses of a runtime that ends.
    func add(pauses: DurationSummary) {
        for context in lineage { context.tally.add(pauses) }
    }

    // MARK: Findings

    /// Ends the process with a finding unless `condition` holds. Any thread may call it.
    @inline(__always)
    func check(
        _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        if !condition() { fail(message(), file: file, line: line) }
    }

    /// Ends the process with a finding: exit status 1.
    @inline(never)
    func fail(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
        report("\(message) (\(file):\(line))")
        _exit(1)
    }

    /// The first finding is printed; a thread that brings another waits for the process to end.
    func report(_ message: String) {
        if let parent {
            return parent.report("\(scenario), seed \(seed), \(threadCount) threads: \(message)")
        }
        if hasFailed.exchange(true, ordering: .relaxed) {
            while true { pause() }
        }
        StressOutput.line("finding: \(message)")
        StressOutput.line(closingLine(findingCount: 1))
    }

    /// For machines: script/stress makes a row of its table from it.
    func closingLine(findingCount: Int) -> String {
        let figures = figures
        let values: [(String, any CustomStringConvertible)] = [
            ("scenario", scenario), ("operations", figures.operations), ("stops", figures.stops),
            ("p99_pause_ns", figures.pauses.worstP99Nanoseconds),
            ("longest_pause_ns", figures.pauses.longestNanoseconds),
            ("peak_bytes", (try? ProcessMemory.peakResidentByteCount()) ?? 0),
            ("final_bytes", (try? ProcessMemory.residentByteCount()) ?? 0),
            ("findings", findingCount), ("seed", seed),
        ]
        return values.map { "\($0)=\($1)" }.joined(separator: " ")
    }
}
