// What must hold whatever the input is: each line of it is counted twice, by ways that share little.
// Where text changed between two runs, they are not compared, and the files are named.
import Stillpoint

struct SessionChecks {
    private let results: SessionResults

    init(_ results: SessionResults) { self.results = results }

    func all() -> [IndexReport.Check] {
        [runsAgree(), wordsAgree(), halfAgrees(), nothingIsLeft()]
    }

    /// The first that failed, as one line.
    static func failure(in checks: [IndexReport.Check]) -> CommandFailure? {
        checks.first { $0.isPassed == false }.map { .internal("\($0.name): \($0.detail)") }
    }

    private func runsAgree() -> IndexReport.Check {
        let threads = Figures.count(results.session.threadCount, "thread")
        return compare(
            "1 thread and \(threads) make the same heap", results.first.heap, results.second.heap,
            excuse: results.changedFiles.isEmpty
                ? nil : "\(Figures.count(results.changedFiles.count, "file")) changed between the runs")
    }

    private func wordsAgree() -> IndexReport.Check {
        let heap = results.second.heap
        let documents = results.indexed.count
        let found = heap.count(of: Document.typeName)
        return IndexReport.Check(
            name: "every file indexed is a document", isPassed: documents == found,
            detail: "\(Figures.count(documents)) and \(Figures.count(found))")
    }

    private func halfAgrees() -> IndexReport.Check {
        compare(
            "the kept half is what it is when indexed alone", results.half.heap,
            results.keptAlone.heap,
            excuse: results.isKeptHalfUnchanged ? nil : "its files changed meanwhile")
    }

    private func nothingIsLeft() -> IndexReport.Check {
        let left = results.rest.heap.objectCount
        return IndexReport.Check(
            name: "nothing is left when all is dropped", isPassed: left == 0,
            detail: "\(Figures.count(left, "object"))")
    }

    /// Type by type: objects and bytes.
    private func compare(
        _ name: String, _ one: InterpreterStatistics, _ other: InterpreterStatistics,
        excuse: String?
    ) -> IndexReport.Check {
        if let excuse { return .init(name: name, isPassed: nil, detail: excuse) }
        let ones = Self.table(one)
        let others = Self.table(other)
        for type in Set(ones.keys).union(others.keys).sorted() {
            let (left, right) = (ones[type] ?? Amount(), others[type] ?? Amount())
            if left != right {
                return .init(
                    name: name, isPassed: false,
                    detail: "\(type): \(left.objectCount) objects in \(left.byteCount) bytes, "
                        + "and \(right.objectCount) in \(right.byteCount)")
            }
        }
        return .init(
            name: name, isPassed: true,
            detail: "\(Figures.count(one.objectCount)) objects in "
                + "\(Figures.count(one.objectByteCount)) bytes, type by type")
    }

    private struct Amount: Equatable {
        var objectCount = 0
        var byteCount = 0
    }

    private static func table(_ heap: InterpreterStatistics) -> [String: Amount] {
        Dictionary(
            heap.types.map { ($0.name, Amount(objectCount: $0.objectCount, byteCount: $0.byteCount)) },
            uniquingKeysWith: { .init(
                objectCount: $0.objectCount + $1.objectCount, byteCount: $0.byteCount + $1.byteCount) })
    }
}
