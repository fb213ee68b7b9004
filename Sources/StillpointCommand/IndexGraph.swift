// The graph in the managed heap, and the type of each object in it.
//
//   IndexRoot --documents--> array --> Document --words--> array --> Word
//       \--dictionary--> text --> Word --documents--> list --> Document
//
// A document and each of its words refer to each other: all of them are parts of cycles, and only a
// collection frees a document that still has a word of its own.
import Stillpoint

/// What everything hangs on: one object, held by one handle.
struct IndexRoot: ManagedPayload {
    /// Documents in path order; while threads index, empty where a file was skipped.
    var documents = Field<ManagedArray>()
    /// The text of a word -> `Word`.
    var dictionary = Field<ManagedDictionary>()

    static var references: [PartialKeyPath<IndexRoot>] { [\.documents, \.dictionary] }
}

struct Document: ManagedPayload {
    /// Its place in path order. Written before the object is shared, like the counts below.
    var number: Int
    var byteCount: Int
    var path: Field<ManagedBytes>
    /// Its distinct words.
    var words: Field<ManagedArray>
    /// For each of them, in the same order, a `Tally`.
    var tallies: Field<ManagedBytes>

    static var references: [PartialKeyPath<Document>] { [\.path, \.words, \.tallies] }
}

/// How often a word stands in a document. The hash finds it without a look at the word.
struct Tally: BitwiseCopyable {
    var hash: UInt32
    /// At most 2^32 - 1: what is beyond is not counted.
    var count: UInt32
}

struct Word: ManagedPayload {
    var text: Field<ManagedBytes>
    /// The documents that it stands in, each once, in no order.
    var documents: Field<ManagedList>
    /// How many of them are being dropped; -1 once the word leaves with them. Touched by one thread,
    /// when no other runs.
    var droppedCount = 0

    static var references: [PartialKeyPath<Word>] { [\.text, \.documents] }
}

struct GraphTypes: Sendable {
    let root: ManagedType<IndexRoot>
    let document: ManagedType<Document>
    let word: ManagedType<Word>

    init(_ runtime: Runtime) throws {
        root = try runtime.makeType(IndexRoot.self)
        document = try runtime.makeType(Document.self)
        word = try runtime.makeType(Word.self)
    }
}

/// The one root, for all threads: each loads from it what it needs, into handles of its own.
final class IndexGraph: Sendable {
    let types: GraphTypes
    /// immutable until `end`
    nonisolated(unsafe) private let handle: UnsafeMutablePointer<Handle<IndexRoot>>

    init(_ types: GraphTypes, documentCapacity: Int, by thread: borrowing ManagedThread) throws {
        self.types = types
        let documents = try thread.makeArray(count: documentCapacity)
        let dictionary = try thread.makeDictionary()
        let root = try thread.make(
            types.root,
            IndexRoot(documents: Field(documents), dictionary: Field(dictionary)))
        handle = .allocate(capacity: 1)
        handle.initialize(to: root)
    }

    func documents(by thread: borrowing ManagedThread) throws -> Handle<ManagedArray> {
        try handle.pointee.load(\.documents, by: thread)!
    }

    func dictionary(by thread: borrowing ManagedThread) throws -> Handle<ManagedDictionary> {
        try handle.pointee.load(\.dictionary, by: thread)!
    }

    func replaceDocuments(
        _ documents: borrowing Handle<ManagedArray>, by thread: borrowing ManagedThread
    ) {
        handle.pointee.store(documents, into: \.documents, by: thread)
    }

    func replaceDictionary(
        _ dictionary: borrowing Handle<ManagedDictionary>, by thread: borrowing ManagedThread
    ) {
        handle.pointee.store(dictionary, into: \.dictionary, by: thread)
    }

    /// Lets go of everything. Once, when no thread uses the graph.
    func end(by thread: borrowing ManagedThread) {
        handle.move().end(by: thread)
        handle.deallocate()
    }
}
