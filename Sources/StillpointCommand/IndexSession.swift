// All that `stillpoint index` does between its arguments and its report:
//
//   find the files -> read them once, untimed -> index them with one thread -> with N threads
//     -> query -> drop the later half, collect -> drop the rest, collect -> index the kept half alone
//
// The first run is there to be compared with: for speed, and for its counts. So is the last one:
// what the heap holds once half has been dropped must be what it holds when that half never was.
import Stillpoint

struct IndexSession {
    let paths: [BytePath]
    let threadCount: Int
    /// Empty: the words that most documents hold.
    let query: [[UInt8]]
    let top: Int
    /// When no path was given.
    let limit: InputLimit?
    var calls = FileCalls.system
    let progress: ProgressLine

    func run() throws -> IndexReport {
        let found = try FileDiscovery(roots: paths, keepsRootOrder: limit != nil, calls: calls)
        guard !found.files.isEmpty else { throw Self.nothingFound(found) }
        let warmed = FileWarming(found.files, limit: limit, calls: calls, progress: progress).files
        // Computed before anything is timed: it would count for the first run alone.
        _ = WordScalars.shared
        var memory = try MemoryMarks()
        var results = SessionResults(session: self, found: found)

        let firstFiles = try indexOnce(warmed, &results)
        let job = IndexJob(
            Figures.count(threadCount, "thread"), firstFiles, calls: calls, progress: progress)
        let run = try IndexRun(job, threadCount: threadCount)
        results.note(job.outcomes, of: job.files)
        results.second = (run.wallNanoseconds, try run.collectAndCount().heap)
        try memory.noteIndexed()
        try answer(run, &results)
        progress.say("dropping documents")
        try dropHalf(run, job, &results)
        try memory.noteHalfDropped()
        try dropRest(run, &results)
        results.pauses = run.runtime.pauses
        results.timeToSafepoint = run.runtime.timeToSafepoint
        try memory.noteAllDropped()
        try run.end()
        results.memory = memory

        let kept = job.indexedNumbers.prefix(results.keptCount).map { job.files[$0] }
        let keptJob = IndexJob("the kept half alone", kept, calls: calls, progress: progress)
        let keptRun = try IndexRun(keptJob, threadCount: threadCount)
        results.keptAlone = (keptJob.outcomes, try keptRun.collectAndCount().heap)
        try keptRun.dropAndEnd()
        progress.clear()
        return results.report()
    }

    // MARK: - Steps

    /// The one-thread run. Returns the files that it took.
    private func indexOnce(
        _ files: [FoundFile], _ results: inout SessionResults
    ) throws -> [FoundFile] {
        let job = IndexJob(
            "1 thread", files, limit: limit, calls: calls, progress: progress)
        let run = try IndexRun(job, threadCount: 1)
        results.first = (run.wallNanoseconds, try run.collectAndCount().heap)
        try run.dropAndEnd()
        let outcomes = job.outcomes
        if job.indexedNumbers.isEmpty { throw Self.nothingReadable(job) }
        results.firstOutcomes = outcomes.compactMap { $0 }
        let unread = results.found.files.count - files.count
        results.leftOutCount = unread + outcomes.count { $0 == nil }
        results.isLimitReached = results.leftOutCount > 0
        return outcomes.indices.filter { outcomes[$0] != nil }.map { job.files[$0] }
    }

    private func answer(_ run: IndexRun, _ results: inout SessionResults) throws {
        (results.queryWords, results.answer, results.queryNanoseconds) =
            try run.interpreter.withThread { thread in
                let words = query.isEmpty
                    ? try run.graph.commonestWords(2, by: thread) : query
                let watch = Stopwatch()
                let answer = try run.graph.answer(words, top: top, by: thread)
                return (words, answer, watch.elapsedNanoseconds)
            }
    }

    private func dropHalf(
        _ run: IndexRun, _ job: IndexJob, _ results: inout SessionResults
    ) throws {
        let documentCount = job.indexedNumbers.count
        let keptCount = documentCount - documentCount / 2
        results.keptCount = keptCount
        let wordCount = try run.interpreter.withThread { thread in
            try run.graph.drop(from: keptCount, by: thread)
        }
        let (collection, heap) = try run.collectAndCount()
        results.half = DropResult(
            documentCount: documentCount - keptCount, wordCount: wordCount,
            collection: collection, heap: heap)
    }

    private func dropRest(_ run: IndexRun, _ results: inout SessionResults) throws {
        let wordCount = results.half!.heap.count(of: Word.typeName)
        try run.interpreter.withThread { thread in run.graph.end(by: thread) }
        let (collection, heap) = try run.collectAndCount()
        results.rest = DropResult(
            documentCount: results.keptCount, wordCount: wordCount,
            collection: collection, heap: heap)
    }

    // MARK: - Nothing to do

    private static func nothingFound(_ found: FileDiscovery) -> CommandFailure {
        let passedOver = found.skipped.count + found.hiddenCount
        return .noInput(
            "no files under the paths given"
                + (passedOver == 0
                    ? "" : ": \(Figures.count(passedOver, "entry", "entries")) passed over")
                + SkippedFile.accounts(of: found.skipped))
    }

    private static func nothingReadable(_ job: IndexJob) -> CommandFailure {
        let outcomes = job.outcomes
        let names = outcomes.map { $0?.skipReason?.rawValue ?? "beyond the limit" }
        let reasons = Dictionary(grouping: names) { $0 }
            .sorted { $0.key < $1.key }
            .map { "\($0.key) \(Figures.count($0.value.count))" }
        let skipped = zip(job.files, outcomes).compactMap { file, outcome in
            outcome?.skipReason.map { SkippedFile(path: file.path, reason: $0) }
        }
        return .data(
            "no UTF-8 text in \(Figures.count(outcomes.count, "file")): "
                + reasons.joined(separator: ", ") + SkippedFile.accounts(of: skipped))
    }
}
