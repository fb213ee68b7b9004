// Takes documents out of the graph while no other thread uses it: words of dropped documents only
// leave the dictionary, and words that stay lose their references to dropped documents. What is taken
// out still refers to each other, dropped documents and their own words: a collection frees it.
//
// What stays is as if the dropped documents had never been there, in its sizes, too: the lists that
// lose documents and the dictionary are built anew, as they were built at first.
import Stillpoint

extension IndexGraph {
    /// Leaves the documents at these places, in this order, in an array of just their size; drops
    /// none of them from their words.
    func keepDocuments(_ places: [Int], by thread: borrowing ManagedThread) throws {
        let old = try documents(by: thread)
        let new = try thread.makeArray(count: places.count)
        for (number, place) in places.enumerated() {
            let document = try old.load(place, as: types.document, by: thread)!
            document.write(number, into: \.number, by: thread)
            new.store(document, at: number, by: thread)
            if number % 1024 == 0 { thread.safepoint() }
        }
        replaceDocuments(new, by: thread)
    }

    /// Drops all documents from place `kept` on. Returns how many words stood in no other.
    func drop(from kept: Int, by thread: borrowing ManagedThread) throws -> Int {
        let all = try documents(by: thread)
        try forEachWord(all, from: kept, by: thread) { word in
            word.with(thread) { $0.pointee.droppedCount += 1 }
        }
        var leavingCount = 0
        try forEachWord(all, from: kept, by: thread) { word in
            let droppedCount = word.read(\.droppedCount, by: thread)
            guard droppedCount > 0 else { return }
            let list = try word.load(\.documents, by: thread)!
            if list.count(by: thread) == droppedCount {
                leavingCount += 1
                word.write(-1, into: \.droppedCount, by: thread)
            } else {
                let remaining = try remaining(list, below: kept, by: thread)
                word.store(remaining, into: \.documents, by: thread)
                word.write(0, into: \.droppedCount, by: thread)
            }
        }
        try rebuildDictionary(by: thread)
        try keepDocuments(Array(0..<kept), by: thread)
        return leavingCount
    }

    private func forEachWord(
        _ documents: borrowing Handle<ManagedArray>, from first: Int,
        by thread: borrowing ManagedThread, _ body: (borrowing Handle<Word>) throws -> Void
    ) throws {
        for number in first..<documents.count(by: thread) {
            let document = try documents.load(number, as: types.document, by: thread)!
            let words = try document.load(\.words, by: thread)!
            for index in 0..<words.count(by: thread) {
                let word = try words.load(index, as: types.word, by: thread)!
                try body(word)
            }
            thread.safepoint()
        }
    }

    private func remaining(
        _ list: borrowing Handle<ManagedList>, below kept: Int, by thread: borrowing ManagedThread
    ) throws -> Handle<ManagedList> {
        let remaining = try thread.makeList()
        for index in 0..<list.count(by: thread) {
            let document = try list.load(index, as: types.document, by: thread)!
            if document.read(\.number, by: thread) < kept {
                try remaining.append(document, by: thread)
            }
        }
        return remaining
    }

    /// Nobody reads the dictionary meanwhile. What leaves and what stays is told by `droppedCount`.
    private func rebuildDictionary(by thread: borrowing ManagedThread) throws {
        let words = try stayingWords(by: thread)
        let dictionary = try thread.makeDictionary()
        for index in 0..<words.count(by: thread) {
            guard let word = try words.load(index, as: types.word, by: thread) else { break }
            let text = try word.load(\.text, by: thread)!
            try text.withBytes(by: thread) { _ = try dictionary.insert($0, word, by: thread) }
            if index % 512 == 0 { thread.safepoint() }
        }
        replaceDictionary(dictionary, by: thread)
    }

    /// From the front of an array; its rest is empty.
    private func stayingWords(by thread: borrowing ManagedThread) throws -> Handle<ManagedArray> {
        let dictionary = try dictionary(by: thread)
        let words = try thread.makeArray(count: dictionary.count(by: thread))
        var count = 0
        var failure: (any Error)?
        dictionary.visit(by: thread) { _, value in
            if value.payload(as: types.word)!.pointee.droppedCount < 0 { return }
            do {
                let word = try value.handle(as: types.word, by: thread)!
                words.store(word, at: count, by: thread)
                count += 1
            } catch { failure = error }
        }
        if let failure { throw failure }
        return words
    }
}
