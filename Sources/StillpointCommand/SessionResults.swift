// What a session has found out so far, and how the report is made of it.
import Stillpoint

struct DropResult {
    let documentCount: Int
    /// Words that left with the documents.
    let wordCount: Int
    let collection: CollectionReport
    let heap: InterpreterStatistics
}

struct SessionResults {
    let session: IndexSession
    let found: FileDiscovery

    var firstOutcomes: [FileOutcome] = []
    var isLimitReached = false
    var leftOutCount = 0
    var first: (nanoseconds: UInt64, heap: InterpreterStatistics)!
    var second: (nanoseconds: UInt64, heap: InterpreterStatistics)!
    private var files: [FoundFile] = []
    private var outcomes: [FileOutcome] = []
    var queryWords: [[UInt8]] = []
    var answer: QueryAnswer!
    var queryNanoseconds: UInt64 = 0
    var keptCount = 0
    var half: DropResult!
    var rest: DropResult!
    var keptAlone: (outcomes: [FileOutcome?], heap: InterpreterStatistics)!
    var pauses: DurationSummary!
    var timeToSafepoint: DurationSummary!
    var memory: MemoryMarks!

    init(session: IndexSession, found: FileDiscovery) {
        self.session = session
        self.found = found
    }

    /// The outcomes of the second run, which the report tells.
    mutating func note(_ outcomes: [FileOutcome?], of files: [FoundFile]) {
        self.files = files
        self.outcomes = outcomes.map { $0! }
    }

    func report() -> IndexReport {
        IndexReport(
            version: Command.configuration.version, paths: session.paths.map(\.text),
            input: input(),
            runs: [
                run(1, first, firstOutcomes), run(session.threadCount, second, outcomes),
            ],
            speedUp: session.threadCount == 1
                ? nil : Double(first.nanoseconds) / Double(max(1, second.nanoseconds)),
            query: query(), halfDropped: drop(half, before: second.heap),
            allDropped: drop(rest, before: half.heap), pauses: durations(pauses),
            timeToSafepoint: durations(timeToSafepoint), memory: memoryFigures(),
            checks: SessionChecks(self).all())
    }

    // MARK: - Parts

    /// Files whose text was another one in the second run than in the first.
    var changedFiles: [BytePath] {
        outcomes.indices.filter { outcomes[$0] != firstOutcomes[$0] }.map { files[$0].path }
    }

    var indexed: [FileOutcome] { outcomes.filter { $0.skipReason == nil } }

    /// Whether the text of a kept document was another one when its half was indexed alone.
    var isKeptHalfUnchanged: Bool {
        keptAlone.outcomes.elementsEqual(indexed.prefix(keptCount)) { $0 == $1 }
    }

    private func input() -> IndexReport.Input {
        var skipped = found.skipped
        for (file, outcome) in zip(files, outcomes) {
            if let reason = outcome.skipReason {
                skipped.append(SkippedFile(path: file.path, reason: reason))
            }
        }
        skipped.sort { $0.path < $1.path }
        let shrunk = zip(files, outcomes).filter { $1.isShrunk }.map { $0.0.path.text }
        let grown = zip(files, outcomes).filter { $1.isGrown }.map { $0.0.path.text }
        return IndexReport.Input(
            defaultLimit: session.limit.map {
                IndexReport.Limit(
                    bytes: $0.byteCount, seconds: Int($0.nanoseconds / 1_000_000_000),
                    isReached: isLimitReached)
            },
            filesFound: found.files.count + found.skipped.count, filesIndexed: indexed.count,
            filesLeftOut: leftOutCount, bytes: indexed.reduce(0) { $0 + $1.byteCount },
            words: indexed.reduce(0) { $0 + $1.wordCount },
            distinctWords: second.heap.count(of: Word.typeName),
            cutWords: indexed.reduce(0) { $0 + $1.cutWordCount },
            hiddenEntries: found.hiddenCount, repeatedEntries: found.repeatedCount,
            skippedCount: skipped.count,
            skippedByReason: Dictionary(grouping: skipped, by: \.reason.rawValue).mapValues(\.count),
            skipped: skipped.map {
                IndexReport.Skipped(path: $0.path.text, reason: $0.reason.rawValue)
            },
            shrunk: shrunk, grown: grown, changed: changedFiles.map(\.text))
    }

    private func run(
        _ threadCount: Int, _ run: (nanoseconds: UInt64, heap: InterpreterStatistics),
        _ outcomes: [FileOutcome]
    ) -> IndexReport.Run {
        let indexed = outcomes.filter { $0.skipReason == nil }
        return IndexReport.Run(
            threads: threadCount, wallNanoseconds: run.nanoseconds, files: indexed.count,
            bytes: indexed.reduce(0) { $0 + $1.byteCount },
            words: indexed.reduce(0) { $0 + $1.wordCount },
            distinctWords: run.heap.count(of: Word.typeName),
            objects: run.heap.objectCount, objectBytes: run.heap.objectByteCount,
            collections: Int(run.heap.collectionCount))
    }

    private func query() -> IndexReport.Query {
        IndexReport.Query(
            words: queryWords.map { String(decoding: $0, as: UTF8.self) },
            isDefault: session.query.isEmpty, nanoseconds: queryNanoseconds,
            documents: answer.documentCount,
            top: answer.top.map { IndexReport.Hit(path: $0.path.text, count: $0.count) })
    }

    private func drop(
        _ drop: DropResult, before: InterpreterStatistics
    ) -> IndexReport.Drop {
        IndexReport.Drop(
            documents: drop.documentCount, words: drop.wordCount,
            objectsBefore: before.objectCount, objectsFound: drop.collection.objectsFound,
            cyclicObjectsFreed: drop.collection.cyclicObjectsFreed,
            objectsFreedByCollector: drop.collection.objectsFreed,
            collectionPauseNanoseconds: drop.collection.pauseNanoseconds,
            objectsLeft: drop.heap.objectCount, objectBytesLeft: drop.heap.objectByteCount)
    }

    private func durations(_ summary: DurationSummary) -> IndexReport.Durations {
        let isShort = summary.count < 20
        return IndexReport.Durations(
            count: Int(summary.count), nanoseconds: isShort ? summary.firstValues : nil,
            p50Nanoseconds: isShort ? nil : summary.percentile(50),
            p99Nanoseconds: isShort ? nil : summary.percentile(99),
            longestNanoseconds: summary.longestNanoseconds)
    }

    private func memoryFigures() -> IndexReport.Memory {
        IndexReport.Memory(
            startBytes: memory.start, peakBytes: memory.peak, indexedBytes: memory.indexed,
            halfDroppedBytes: memory.halfDropped, finalBytes: memory.allDropped,
            finalShareOfPeak: memory.finalShareOfPeak)
    }
}

extension Word {
    static let typeName = "Word"
}

extension Document {
    static let typeName = "Document"
}

extension InterpreterStatistics {
    /// Objects of the type of this name.
    func count(of name: String) -> Int {
        types.first { $0.name == name }?.objectCount ?? 0
    }
}
