// The threads of a scenario, each with an index, a generator of its own, and counts of its own.

import StillpointPlatform
import Synchronization

/// One thread's side of a run. Owner only.
struct Worker: ~Copyable {
    let context: StressContext
    let index: Int
    var random: SplitMix64
    private(set) var operationCount = 0
    private(set) var stopCount = 0
    private let shown = WorkerCounts()
    private var turnsUntilShown = 0

    private static let turnsPerShow = 16

    init(context: StressContext, index: Int) {
        self.context = context
        self.index = index
        random = SplitMix64(seed: context.seed, part: index)
        for run in context.lineage { run.tally.begin(shown) }
    }

    /// The worker is done: its counts go to the run.
    fileprivate consuming func end() {
        shown.show(operations: operationCount, stops: stopCount)
        for run in context.lineage { run.tally.end(shown) }
    }

    /// Whether to go on. True at the first call, so that every worker has at least one turn.
    var isRunning: Bool {
        mutating get {
            turnsUntilShown -= 1
            if turnsUntilShown > 0 { return true }
            let isFirst = turnsUntilShown < 0
            turnsUntilShown = Self.turnsPerShow
            shown.show(operations: operationCount, stops: stopCount)
            return isFirst || !context.isOver
        }
    }

    mutating func countOperation() { operationCount += 1 }
    mutating func countStop() { stopCount += 1 }

    /// Gives way now and then, by the seed. Call it where another thread should come between: two processors
    /// interleave too seldom by themselves.
    mutating func chaos() {
        if random.oneIn(context.isTorture ? 3 : 32) { SystemThread.yield() }
        if context.isTorture, random.oneIn(512) {
            let pause = UInt64(random.below(100_000))
            SystemThread.sleep(untilNanoseconds: MonotonicClock.nanoseconds() + pause)
        }
    }

    /// A deadline up to `nanoseconds` from now, by the seed.
    mutating func deadline(within nanoseconds: Int) -> UInt64 {
        MonotonicClock.nanoseconds() + UInt64(random.below(nanoseconds))
    }
}

extension StressContext {
    /// Runs `body` on `count` threads (as many as the command line says, if nil) and waits for all of them.
    /// An error that it throws is a finding. Adds up what the workers have counted.
    func runWorkers(
        _ count: Int? = nil, _ body: @escaping @Sendable (inout Worker) throws -> Void
    ) throws {
        let threads = try (0..<(count ?? threadCount)).map { index in
            let job = WorkerJob(context: self, index: index, body: body)
            return try SystemThread.start(
                name: "worker \(index)", argument: Unmanaged.passRetained(job).toOpaque(),
                body: runWorkerJob)
        }
        threads.forEach { $0.join() }
    }
}

/// What a worker's thread is started with.
private final class WorkerJob: Sendable {
    let context: StressContext
    let index: Int
    let body: @Sendable (inout Worker) throws -> Void

    init(
        context: StressContext, index: Int, body: @escaping @Sendable (inout Worker) throws -> Void
    ) {
        self.context = context
        self.index = index
        self.body = body
    }
}

private func runWorkerJob(_ argument: UnsafeMutableRawPointer?) {
    let job = Unmanaged<WorkerJob>.fromOpaque(argument!).takeRetainedValue()
    var worker = Worker(context: job.context, index: job.index)
    do {
        try job.body(&worker)
    } catch {
        job.context.fail("worker \(job.index): \(error)")
    }
    worker.end()
}
