// What a run did, counted: operations and stops by its workers, pauses by its runtimes.
//
// Each worker counts for itself and shows the sum now and then by a relaxed store, which orders nothing: counters
// that all of them change would order the threads, and so hide from the sanitizer, and from us, what a scenario looks
// for.

import StillpointPlatform
import Synchronization

/// Pauses of several runtimes. Histograms of different runtimes are not merged: of their 99th percentiles the worst
/// is kept.
struct PauseFigures {
    var count: UInt64 = 0
    var longestNanoseconds: UInt64 = 0
    var worstP99Nanoseconds: UInt64 = 0

    mutating func add(_ summary: DurationSummary) {
        guard summary.count > 0 else { return }
        add(PauseFigures(
                count: summary.count, longestNanoseconds: summary.longestNanoseconds,
                worstP99Nanoseconds: summary.percentile(99)))
    }

    mutating func add(_ other: PauseFigures) {
        count += other.count
        longestNanoseconds = max(longestNanoseconds, other.longestNanoseconds)
        worstP99Nanoseconds = max(worstP99Nanoseconds, other.worstP99Nanoseconds)
    }
}

struct RunFigures {
    var runs = 0
    var operations = 0
    var stops = 0
    var pauses = PauseFigures()

    mutating func add(_ other: RunFigures) {
        runs += other.runs
        operations += other.operations
        stops += other.stops
        pauses.add(other.pauses)
    }
}

/// What one worker has shown so far. Written by it alone; relaxed throughout: numbers.
final class WorkerCounts: Sendable {
    private let operations = Atomic<Int>(0)
    private let stops = Atomic<Int>(0)

    func show(operations operationCount: Int, stops stopCount: Int) {
        operations.store(operationCount, ordering: .relaxed)
        stops.store(stopCount, ordering: .relaxed)
    }

    var figures: RunFigures {
        RunFigures(operations: operations.load(ordering: .relaxed), stops: stops.load(ordering: .relaxed))
    }
}

/// The figures of a run: of the workers that have ended, and of those at work.
final class Tally: Sendable {
    private struct State {
        var ended = RunFigures()
        /// Of `ended`, what `takePauses` has not handed out.
        var newPauses = PauseFigures()
        var working: [ObjectIdentifier: WorkerCounts] = [:]
    }

    private let state = Guarded(State())

    func begin(_ counts: WorkerCounts) {
        state.withLock { $0.working[ObjectIdentifier(counts)] = counts }
    }

    func end(_ counts: WorkerCounts) {
        state.withLock {
            $0.working[ObjectIdentifier(counts)] = nil
            $0.ended.add(counts.figures)
        }
    }

    func add(_ pauses: DurationSummary) {
        state.withLock {
            $0.ended.pauses.add(pauses)
            $0.newPauses.add(pauses)
        }
    }

    /// Exact once all workers are joined.
    var figures: RunFigures {
        state.withLock { state in
            state.working.values.reduce(into: state.ended) { $0.add($1.figures) }
        }
    }

    /// The pauses since the last call.
    func takePauses() -> PauseFigures {
        state.withLock { state in
            defer { state.newPauses = PauseFigures() }
            return state.newPauses
        }
    }
}
