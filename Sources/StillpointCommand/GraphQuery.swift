// Finds the documents that hold all of some words, ranked by how often the words stand in them.
import Stillpoint

struct QueryHit: Equatable, Sendable {
    let number: Int
    let path: BytePath
    let count: Int
}

struct QueryAnswer: Sendable {
    let documentCount: Int
    /// Most often first; by path order where two are equal.
    let top: [QueryHit]
}

extension IndexGraph {
    func answer(
        _ words: [[UInt8]], top: Int, by thread: borrowing ManagedThread
    ) throws -> QueryAnswer {
        let documents = try documents(by: thread)
        let dictionary = try dictionary(by: thread)
        var wordCounts = [Int](repeating: 0, count: documents.count(by: thread))
        var counts = [Int](repeating: 0, count: documents.count(by: thread))
        for text in words {
            let hash = text.withUnsafeBytes { BytesHash.of($0) }
            let found = try text.span.bytes.withUnsafeBytes {
                try dictionary.find($0, hash: hash, as: types.word, by: thread)
            }
            guard let word = found else { return QueryAnswer(documentCount: 0, top: []) }
            let list = try word.load(\.documents, by: thread)!
            for index in 0..<list.count(by: thread) {
                let document = try list.load(index, as: types.document, by: thread)!
                let number = document.read(\.number, by: thread)
                wordCounts[number] += 1
                counts[number] += try count(of: word, hash, in: document, by: thread)
                if index % 1024 == 0 { thread.safepoint() }
            }
        }
        let numbers = wordCounts.indices.filter { wordCounts[$0] == words.count }
            .sorted { (counts[$1], $0) < (counts[$0], $1) }
        let hits = try numbers.prefix(top).map { number in
            let document = try documents.load(number, as: types.document, by: thread)!
            let path = try document.load(\.path, by: thread)!.withBytes(by: thread) { Array($0) }
            return QueryHit(number: number, path: BytePath(path), count: counts[number])
        }
        return QueryAnswer(documentCount: numbers.count, top: hits)
    }

    /// The words that most documents hold, most first; by their bytes where two are equal.
    func commonestWords(_ limit: Int, by thread: borrowing ManagedThread) throws -> [[UInt8]] {
        let dictionary = try dictionary(by: thread)
        var best: [(count: Int, text: [UInt8])] = []
        var failure: (any Error)?
        dictionary.visit(by: thread) { text, value in
            do {
                let word = try value.handle(as: types.word, by: thread)!
                let list = try word.load(\.documents, by: thread)!
                let count = list.count(by: thread)
                if best.count == limit, let last = best.last, count < last.count { return }
                best.append((count, Array(text)))
                best.sort { one, other in
                    one.count == other.count
                        ? one.text.lexicographicallyPrecedes(other.text) : one.count > other.count
                }
                if best.count > limit { best.removeLast() }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return best.map(\.text)
    }

    /// How often a word stands in a document that holds it.
    private func count(
        of word: borrowing Handle<Word>, _ hash: UInt64, in document: borrowing Handle<Document>,
        by thread: borrowing ManagedThread
    ) throws -> Int {
        let tallies = try document.load(\.tallies, by: thread)!
        let places = tallies.withBytes(by: thread) { bytes in
            bytes.withMemoryRebound(to: Tally.self) { tallies in
                tallies.indices.filter { tallies[$0].hash == UInt32(truncatingIfNeeded: hash) }
                    .map { ($0, Int(tallies[$0].count)) }
            }
        }
        if places.count == 1 { return places[0].1 }
        let words = try document.load(\.words, by: thread)!
        for (place, count) in places {
            let candidate = try words.load(place, as: types.word, by: thread)!
            if candidate.isSame(as: word, by: thread) { return count }
        }
        return 0
    }
}
