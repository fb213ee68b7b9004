import Stillpoint
import Synchronization

/// Interpreters of one runtime, and now and then whole runtimes, are made, used by several threads, and shut down,
/// while others stop all of them. What each made is a cycle or still in use by its own threads at the shutdown.
enum InterpreterChurnScenario: Scenario {
    static let name = "interpreter-churn"
    static let summary = "interpreters and runtimes made, used by threads of their own, and ended, during stops of all"
    static let smoke = SmokeBudget(operations: 6_000)

    struct Node: ManagedPayload {
        var mark = 7
        var next = Field<Node>()
        static var references: [PartialKeyPath<Node>] { [\.next] }
    }

    static func run(_ context: StressContext) throws {
        let options = options(context)
        let shared = try Runtime(options)
        let type = try shared.makeType(Node.self)
        try context.runWorkers { worker in
            while worker.isRunning {
                if worker.random.oneIn(4) {
                    try shared.withWorldStopped {}
                    worker.countStop()
                } else if worker.random.oneIn(8) {
                    let own = try Runtime(options)
                    try live(in: own, own.makeType(Node.self), &worker)
                    try own.shutdown()
                    context.add(pauses: own.pauses)
                } else {
                    try live(in: shared, type, &worker)
                }
                worker.chaos()
            }
        }
        try shared.shutdown()
        context.add(pauses: shared.pauses)
    }

    private static func options(_ context: StressContext) -> RuntimeOptions {
        var options = RuntimeOptions()
        options.minimumCollectionByteCount = 1 << 16
        options.verifiesCollections = context.isTorture
        return options
    }

    /// One interpreter's life.
    private static func live(in runtime: Runtime, _ type: ManagedType<Node>, _ worker: inout Worker) throws {
        let context = worker.context
        let interpreter = try runtime.makeInterpreter(lock: worker.random.oneIn(4) ? .own : .none)
        for _ in 0..<worker.random.below(3) {
            let count = worker.random.below(context.isTorture ? 200 : 40)
            let leaves = worker.random.oneIn(2)
            // Nobody joins it: shutdown does.
            try interpreter.startThread { thread in
                try makeCycles(count, type, thread, context)
                if leaves { thread.detached {} }
            }
        }
        try interpreter.withThread { thread in
            try makeCycles(worker.random.below(40), type, thread, context)
            if worker.random.oneIn(3) { _ = try thread.collect() }
        }
        if worker.random.oneIn(4) { try stopFromInside(interpreter, &worker) }
        let report = try interpreter.shutdown()
        context.check(report.isClean, "an interpreter's end is not clean: \(report)")
        do {
            try interpreter.withThread { _ in }
            context.fail("an interpreter that is over let a thread in")
        } catch RuntimeError.shuttingDown {}
        worker.countOperation()
    }

    private static func stopFromInside(_ interpreter: Interpreter, _ worker: inout Worker) throws {
        try interpreter.withThread { thread in try thread.withWorldStopped {} }
        worker.countStop()
    }

    private static func makeCycles(
        _ count: Int, _ type: ManagedType<Node>, _ thread: borrowing ManagedThread, _ context: StressContext
    ) throws {
        for _ in 0..<count {
            let first = try thread.make(type, Node())
            let second = try thread.make(type, Node())
            first.store(second, into: \.next, by: thread)
            second.store(first, into: \.next, by: thread)
            context.check(first.read(\.mark, by: thread) == 7, "a node was freed while it was held")
            thread.safepoint()
        }
    }
}
