import Testing

@testable import StillpointCommand

@Suite struct DocumentWordsTests {
    private func add(_ text: String, to words: inout DocumentWords) {
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { words.add($0.baseAddress!, $0.count) }
    }

    private func check(_ words: borrowing DocumentWords, _ expected: [String: Int]) {
        #expect(words.count == expected.count)
        #expect(words.tokenCount == expected.values.reduce(0, +))
        for index in 0..<words.count {
            let entry = words.entry(index)
            #expect(expected[String(decoding: words.text(entry), as: UTF8.self)] == entry.count)
        }
    }

    @Test func `every word is counted, through any number of growths`() {
        var words = DocumentWords()
        var expected: [String: Int] = [:]
        for number in 0..<40_000 {
            let word = "w\(number % 30_000)"
            add(word, to: &words)
            expected[word, default: 0] += 1
        }
        check(words, expected)
    }

    @Test func `words of every length up to the longest are told apart`() {
        var words = DocumentWords()
        var expected: [String: Int] = [:]
        for length in 1...64 {
            for last in ["a", "b"] {
                let word = String(repeating: "a", count: length - 1) + last
                add(word, to: &words)
                expected[word, default: 0] += 1
            }
        }
        check(words, expected)
    }

    @Test(arguments: [1, 100, 5000, 300_000])
    func `an emptied table holds nothing of the document before`(count: Int) {
        var words = DocumentWords()
        for number in 0..<count { add("old\(number)", to: &words) }
        words.removeAll()
        #expect(words.count == 0)
        #expect(words.textHash == 0)
        for number in 0..<10 { add("new\(number)", to: &words) }
        check(words, Dictionary(uniqueKeysWithValues: (0..<10).map { ("new\($0)", 1) }))
    }

    @Test func `the text's hash tells texts apart by words and by order`() {
        func hash(_ texts: [String]) -> UInt64 {
            var words = DocumentWords()
            for text in texts { add(text, to: &words) }
            return words.textHash
        }
        #expect(hash(["a", "b"]) == hash(["a", "b"]))
        #expect(hash(["a", "b"]) != hash(["b", "a"]))
        #expect(hash(["a", "b"]) != hash(["a", "b", "b"]))
    }
}
