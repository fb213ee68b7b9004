import Stillpoint

/// Threads of one interpreter make nodes, tie them into cycles with nodes of other threads by way of a shared array, cut
/// ties, look keys up in a shared dictionary while others insert, collect now and then, and come and go. A node that was freed
/// too early shows a wrong mark; one that was freed never is left at the end.
enum ObjectGraphScenario: Scenario {
    static let name = "object-graph"
    static let summary = "cyclic objects shared by threads that come and go, lock-free lookups, collections"
    static let smoke = SmokeBudget(operations: 3_000_000)
    static let weight = 4

    struct Node: ManagedPayload {
        static let alive: UInt64 = 0x1234_5678_9abc_def0
        var mark = Node.alive
        var left = Field<Node>()
        var right = Field<Node>()
        static var references: [PartialKeyPath<Node>] { [\.left, \.right] }
    }

    /// What all threads start from. The handles end with it.
    struct Roots: ~Copyable {
        let board: Handle<ManagedArray>
        let keys: Handle<ManagedDictionary>
    }

    static let width = 16

    static func run(_ context: StressContext) throws {
        var options = RuntimeOptions()
        options.minimumCollectionByteCount = context.isTorture ? 1 << 16 : 1 << 20
        options.verifiesCollections = context.isTorture
        let runtime = try Runtime(options)
        let type = try runtime.makeType(Node.self)
        let interpreter = try runtime.makeInterpreter()
        let roots = try interpreter.withThread { thread in
            Shared(Roots(board: try thread.makeArray(count: width), keys: try thread.makeDictionary()))
        }
        let observer = context.monitor.observe { counts in
            guard let statistics = try? interpreter.statistics() else { return }
            counts.interpreters += 1
            counts.objects += statistics.objectCount
            counts.heapCommittedBytes += statistics.committedByteCount
        }
        try context.runWorkers { worker in
            while worker.isRunning {
                try interpreter.withThread { thread in
                    for _ in 0..<300 where worker.isRunning {
                        try step(
                            roots.pointer.pointee.board, roots.pointer.pointee.keys, type, thread, &worker)
                        worker.countOperation()
                        thread.safepoint()
                        worker.chaos()
                    }
                }
            }
        }
        context.monitor.forget(observer)
        try interpreter.withThread { _ in roots.destroy() }
        let report = try interpreter.shutdown()
        context.check(
            report.leakedObjectCount == 0 && report.leakedHandleCount == 0,
            "\(report.leakedObjectCount) objects and \(report.leakedHandleCount) handles are left")
        try runtime.shutdown()
        context.add(pauses: runtime.pauses)
    }

    private static func step(
        _ board: borrowing Handle<ManagedArray>, _ keys: borrowing Handle<ManagedDictionary>,
        _ type: ManagedType<Node>, _ thread: borrowing ManagedThread, _ worker: inout Worker
    ) throws {
        let context = worker.context
        let place = worker.random.below(width)
        switch worker.random.below(16) {
        case 0..<8:
            let node = try thread.make(type, Node())
            if let other = try board.load(place, as: type, by: thread) {
                check(other, thread, context)
                node.store(other, into: \.left, by: thread)
                other.store(node, into: \.right, by: thread)  // a cycle, often over threads
            }
            board.store(node, at: worker.random.below(width), by: thread)
        case 8..<11:
            if let node = try board.load(place, as: type, by: thread) {
                check(node, thread, context)
                if let next = try node.load(\.left, by: thread) { check(next, thread, context) }
                node.clear(\.right, by: thread)
            }
        case 11:
            board.clear(at: place, by: thread)
        case 12..<15:
            let key = "key \(worker.random.below(200))"
            let found = try keys.findOrInsert(key, as: type, by: thread) { () throws(OutOfMemory) in
                try thread.make(type, Node())
            }
            check(found, thread, context)
        default:
            if worker.random.oneIn(64) {
                _ = try thread.collect()
                worker.countStop()
            } else {
                thread.detached { worker.chaos() }
            }
        }
    }

    private static func check(
        _ node: borrowing Handle<Node>, _ thread: borrowing ManagedThread, _ context: StressContext
    ) {
        context.check(node.read(\.mark, by: thread) == Node.alive, "a node was freed while it was held")
    }
}
