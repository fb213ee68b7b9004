// Puts documents into the graph, for one thread: one lookup in the shared dictionary, one entry in the
// word's list and one in the document's array for each distinct word of a document.
import Stillpoint

struct GraphWriter: ~Copyable {
    /// A safepoint at least every so many words.
    private static let wordsBetweenSafepoints = 512

    private let types: GraphTypes
    private let documents: Handle<ManagedArray>
    private let dictionary: Handle<ManagedDictionary>

    init(_ graph: IndexGraph, by thread: borrowing ManagedThread) throws {
        let documents = try graph.documents(by: thread)
        let dictionary = try graph.dictionary(by: thread)
        types = graph.types
        self.documents = documents
        self.dictionary = dictionary
    }

    /// The document of file `number`, which no other thread adds.
    func add(
        _ number: Int, _ path: BytePath, byteCount: Int, _ found: borrowing DocumentWords,
        by thread: borrowing ManagedThread
    ) throws {
        let pathBytes = try path.bytes.span.bytes.withUnsafeBytes { try thread.makeBytes($0) }
        let tallies = try Self.tallies(found, by: thread)
        let words = try thread.makeArray(count: found.count)
        let document = try thread.make(
            types.document,
            Document(
                number: number, byteCount: byteCount, path: Field(pathBytes), words: Field(words),
                tallies: Field(tallies)))
        for index in 0..<found.count {
            let entry = found.entry(index)
            let word = try word(UnsafeRawBufferPointer(found.text(entry)), entry.hash, by: thread)
            words.store(word, at: index, by: thread)
            let list = try word.load(\.documents, by: thread)!
            try list.append(document, by: thread)
            list.end(by: thread)
            word.end(by: thread)
            if index % Self.wordsBetweenSafepoints == 0 { thread.safepoint() }
        }
        documents.store(document, at: number, by: thread)
    }

    /// The one object of this word: found without a lock, made by the thread that first needs it.
    private func word(
        _ text: UnsafeRawBufferPointer, _ hash: UInt64, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Word> {
        try dictionary.findOrInsert(text, hash: hash, as: types.word, by: thread) {
            () throws(OutOfMemory) -> Handle<Word> in
            let bytes = try thread.makeBytes(text)
            let list = try thread.makeList()
            return try thread.make(types.word, Word(text: Field(bytes), documents: Field(list)))
        }
    }

    private static func tallies(
        _ found: borrowing DocumentWords, by thread: borrowing ManagedThread
    ) throws -> Handle<ManagedBytes> {
        let tallies = UnsafeMutableBufferPointer<Tally>.allocate(capacity: found.count)
        defer { tallies.deallocate() }
        for index in 0..<found.count {
            let entry = found.entry(index)
            tallies.initializeElement(
                at: index,
                to: Tally(
                    hash: UInt32(truncatingIfNeeded: entry.hash), count: UInt32(clamping: entry.count)))
        }
        return try thread.makeBytes(UnsafeRawBufferPointer(tallies))
    }
}
