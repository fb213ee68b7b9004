import StillpointPlatform
import StillpointThreads

/// Workers of two interpreters change plain numbers of their own while attached; stoppers, attached and not, stop one
/// interpreter or all, and read and change everybody's. Only the stop orders the two: the sanitizer sees if it does not,
/// and a pair that is unequal in a pause was caught between two instructions.
enum StopTheWorldScenario: Scenario {
    static let name = "stop-the-world"
    static let summary = "stops of one and of all, by attached threads and outsiders, against polling and detaching ones"
    static let smoke = SmokeBudget(operations: 4_000_000)

    /// Plain memory of one worker. Changed while attached, or in a pause.
    struct Pair {
        var first = 0
        var second = 0
    }

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(context, interpreterCount: 2)
        let pairs = (0..<context.threadCount).map { _ in Shared(Pair()) }
        // One outsider more than the workers: it has no thread state.
        try context.runWorkers(context.threadCount + 1) { worker in
            if worker.index == context.threadCount {
                while worker.isRunning {
                    try stop(runtime, pairs, &worker)
                    SystemThread.sleep(untilNanoseconds: worker.deadline(within: 300_000))
                }
                return
            }
            let index = worker.index
            try runtime.interpreters[index % 2].withThread { thread in
                while worker.isRunning {
                    pairs[index].pointer.pointee.first += 1
                    if worker.random.oneIn(64) { worker.chaos() }
                    pairs[index].pointer.pointee.second += 1
                    worker.countOperation()
                    try thread.rest(&worker)
                    if worker.random.oneIn(context.isTorture ? 8 : 200) {
                        try stop(runtime, pairs, &worker)
                    }
                }
            }
        }
        for pair in pairs { pair.destroy() }
        runtime.end()
    }

    private static func stop(
        _ runtime: StressRuntime, _ pairs: [Shared<Pair>], _ worker: inout Worker
    ) throws {
        let choice = worker.random.below(3)
        let scope = choice == 2 ? nil : runtime.interpreters[choice].roster
        let stopped = try StopTheWorld.begin(runtime.world, scope: scope)
        for (index, pair) in pairs.enumerated() where choice == 2 || index % 2 == choice {
            let value = pair.pointer.pointee
            worker.context.check(
                value.first == value.second, "worker \(index) was stopped between two safepoints")
            pair.pointer.pointee = Pair(first: value.first + 1, second: value.second + 1)
        }
        if worker.random.oneIn(8) {
            try StopTheWorld.begin(runtime.world, scope: scope).resume()  // covered: nothing
        }
        stopped.resume()
        worker.countStop()
    }
}
