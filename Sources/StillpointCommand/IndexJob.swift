// One job: some files, shared by threads that each claim the next one until none is left. Files are
// claimed biggest first, so that no thread is left with a big one at the end; a file's number, which
// is its document's, is its place in path order.
import Stillpoint
import Synchronization

/// What became of one file.
struct FileOutcome: Equatable, Sendable {
    /// nil: it is in the index.
    var skipReason: SkipReason?
    var byteCount = 0
    var wordCount = 0
    var distinctWordCount = 0
    var cutWordCount = 0
    /// Tells whether two runs read the same text.
    var textHash: UInt64 = 0
    /// It ended before the size that it had when it was found.
    var isShrunk = false
    /// It went on after the size that it had when it was found: it was read up to that.
    var isGrown = false
}

final class IndexJob: Sendable {
    /// In path order.
    let files: [FoundFile]
    /// What it is, in the progress line.
    private let name: String
    private let order: [Int]
    private let limit: InputLimit?
    private let calls: FileCalls
    private let progress: ProgressLine
    private let watch = Stopwatch()

    /// atomic; relaxed: a claim gives nothing but the number.
    private let claimed = Atomic<Int>(0)
    /// atomic; relaxed: the sum of text indexed, for the limit on one thread.
    private let textByteCount = Atomic<Int>(0)
    /// atomic; relaxed, both: sums for the progress line.
    private let readByteCount = Atomic<Int>(0)
    private let doneCount = Atomic<Int>(0)
    /// atomic; relaxed: an order to stop, whenever it comes.
    private let isGivenUp = Atomic<Bool>(false)
    /// Each written by the thread that claimed its file; read when all have been joined.
    nonisolated(unsafe) private let results: UnsafeMutableBufferPointer<FileOutcome?>

    /// With a limit, files are read in the order given, by one thread; otherwise biggest first.
    init(
        _ name: String, _ given: [FoundFile], limit: InputLimit? = nil, calls: FileCalls = .system,
        progress: ProgressLine
    ) {
        let byPath = given.indices.sorted { given[$0].path < given[$1].path }
        files = byPath.map { given[$0] }
        var order = Array(given.indices)
        if limit == nil {
            let files = self.files
            order.sort { (files[$1].byteCount, $0) < (files[$0].byteCount, $1) }
        } else {
            for (number, place) in byPath.enumerated() { order[place] = number }
        }
        self.name = name
        self.order = order
        self.limit = limit
        self.calls = calls
        self.progress = progress
        results = .allocate(capacity: given.count)
        results.initialize(repeating: nil)
    }

    deinit { results.deallocate() }

    /// What became of each file, by its number; nil for those that the limit left out. When all
    /// threads have been joined.
    var outcomes: [FileOutcome?] { Array(results) }

    /// The numbers of the files that are in the index, ascending. When all threads have been joined.
    var indexedNumbers: [Int] {
        results.indices.filter { results[$0].map { $0.skipReason == nil } ?? false }
    }

    // MARK: - A thread's part

    /// The body of each thread.
    func work(on graph: IndexGraph, by thread: borrowing ManagedThread) throws {
        do {
            let writer = try GraphWriter(graph, by: thread)
            var scanner = FileScanner(calls: calls)
            while let number = claim() {
                var outcome = scanner.scan(files[number], by: thread) { update($0) }
                outcome.isShrunk = outcome.skipReason == nil
                    && outcome.byteCount < files[number].byteCount
                if outcome.skipReason == nil {
                    textByteCount.add(outcome.byteCount, ordering: .relaxed)
                    try writer.add(
                        number, files[number].path, byteCount: outcome.byteCount, scanner.words,
                        by: thread)
                }
                results[number] = outcome
                doneCount.add(1, ordering: .relaxed)
                thread.safepoint()
            }
        } catch {
            isGivenUp.store(true, ordering: .relaxed)
            throw error
        }
    }

    private func claim() -> Int? {
        while !isGivenUp.load(ordering: .relaxed) {
            let place = claimed.add(1, ordering: .relaxed).oldValue
            guard place < order.count else { return nil }
            guard let limit else { return order[place] }
            // The first file is read whatever it takes: there is something to show then.
            if place > 0 && watch.elapsedNanoseconds > limit.nanoseconds { return nil }
            let sum = textByteCount.load(ordering: .relaxed) + files[order[place]].byteCount
            if sum <= limit.byteCount { return order[place] }
        }
        return nil
    }

    private func update(_ byteCount: Int) {
        let sum = readByteCount.add(byteCount, ordering: .relaxed).newValue
        progress.update {
            "\(name): \(Figures.count(doneCount.load(ordering: .relaxed))) of "
                + "\(Figures.count(files.count, "file")), "
                + Figures.megabytes(sum) + " read"
        }
    }
}
