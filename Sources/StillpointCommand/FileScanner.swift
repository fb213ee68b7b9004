// Reads one file into a thread's table of words: detached while it waits for the system, with a
// safepoint between pieces while it counts.
import Stillpoint

struct FileScanner: ~Copyable {
    private var reader: TextReader
    private var tokenizer = Tokenizer()
    /// Those of the file scanned last.
    private(set) var words = DocumentWords()

    init(calls: FileCalls) { reader = TextReader(calls: calls) }

    /// `beforeRead` is called detached, with how many bytes the piece before had.
    mutating func scan(
        _ file: FoundFile, by thread: borrowing ManagedThread, beforeRead: (Int) -> Void
    ) -> FileOutcome {
        words.removeAll()
        tokenizer.restart()
        var byteCount = 0
        var piece = thread.detached {
            beforeRead(0)
            return reader.begin(file.path, upTo: file.byteCount)
        }
        while case .bytes(let count) = piece {
            byteCount += count
            guard tokenizer.consume(reader.piece(count), into: &words) else {
                reader.end()
                return FileOutcome(skipReason: .notUTF8)
            }
            thread.safepoint()
            piece = thread.detached {
                beforeRead(count)
                return reader.next()
            }
        }
        if case .failed(let reason) = piece { return FileOutcome(skipReason: reason) }
        // Where a file grows, the size that it had may stand in the middle of a character.
        guard tokenizer.finish(into: &words) || reader.isGrown else { return FileOutcome(skipReason: .notUTF8) }
        return FileOutcome(
            byteCount: byteCount, wordCount: words.tokenCount, distinctWordCount: words.count,
            cutWordCount: words.cutCount, textHash: words.textHash, isGrown: reader.isGrown)
    }
}
