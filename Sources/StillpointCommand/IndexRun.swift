// One run of a job in a runtime of its own: made, indexed with some threads, looked at, taken down.
import Foundation
import Stillpoint

final class IndexRun {
    let threadCount: Int
    let runtime: Runtime
    let interpreter: Interpreter
    let graph: IndexGraph
    /// From the start of the first thread to the end of the last.
    let wallNanoseconds: UInt64

    /// Indexes the files of a job with `threadCount` threads and waits for them.
    init(_ job: IndexJob, threadCount: Int) throws {
        self.threadCount = threadCount
        runtime = try Runtime(Self.options())
        interpreter = try runtime.makeInterpreter(name: "index")
        let types = try GraphTypes(runtime)
        let graph = try interpreter.withThread { thread in
            try IndexGraph(types, documentCapacity: job.files.count, by: thread)
        }
        self.graph = graph
        let watch = Stopwatch()
        try Self.work(threadCount, in: interpreter) { thread in try job.work(on: graph, by: thread) }
        wallNanoseconds = watch.elapsedNanoseconds
        let numbers = job.indexedNumbers
        try interpreter.withThread { thread in try graph.keepDocuments(numbers, by: thread) }
    }

    /// An index under construction holds on to nearly all that it allocates: collecting it would find
    /// nothing, so collections become due late, unless the environment says otherwise.
    private static func options() throws -> RuntimeOptions {
        var options = try RuntimeOptions.fromEnvironment()
        if getenv("STILLPOINT_COLLECTION_BYTES") == nil {
            options.minimumCollectionByteCount = 1 << 30
        }
        return options
    }

    /// Runs a body on some threads at once; returns when all have ended, and throws what one threw.
    private static func work(
        _ count: Int, in interpreter: Interpreter,
        _ body: @escaping @Sendable (borrowing ManagedThread) throws -> Void
    ) throws {
        let threads = UnsafeMutablePointer<StartedThread>.allocate(capacity: count)
        defer { threads.deallocate() }
        var startedCount = 0
        var failure: (any Error)?
        do {
            while startedCount < count {
                (threads + startedCount).initialize(
                    to: try interpreter.startThread(name: "sp-index-\(startedCount + 1)", body))
                startedCount += 1
            }
        } catch { failure = error }
        for index in 0..<startedCount {
            do { try (threads + index).move().join() } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// What is in the heap, after a collection: exact, and the same however threads took turns.
    func collectAndCount() throws -> (collection: CollectionReport, heap: InterpreterStatistics) {
        let collection = try interpreter.collect()
        return (collection, try interpreter.statistics())
    }

    /// Takes down interpreter and runtime, after `graph.end`. Throws when something is left over.
    func end() throws {
        let report = try interpreter.shutdown()
        try runtime.shutdown()
        guard report.leakedObjectCount == 0, report.leakedHandleCount == 0 else {
            throw CommandFailure.internal(
                "\(report.leakedObjectCount) objects and \(report.leakedHandleCount) handles leaked")
        }
    }

    /// Lets go of the graph and takes the runtime down, for a run that nothing more is asked of.
    func dropAndEnd() throws {
        try interpreter.withThread { thread in graph.end(by: thread) }
        try end()
    }
}
