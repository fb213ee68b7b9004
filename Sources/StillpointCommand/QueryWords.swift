// The words of a query, cut from its text as the words of documents are.

struct QueryWords {
    let words: [[UInt8]]

    /// Each word once, in the order of the text.
    init(_ text: String) { self.init([text]) }

    init(_ texts: [String]) {
        var found = DocumentWords()
        var tokenizer = Tokenizer()
        for text in texts {
            var text = text
            text.withUTF8 { _ = tokenizer.consume(UnsafeRawBufferPointer($0), into: &found) }
            _ = tokenizer.finish(into: &found)
        }
        var words: [[UInt8]] = []
        for index in 0..<found.count { words.append(Array(found.text(found.entry(index)))) }
        self.words = words
    }
}
