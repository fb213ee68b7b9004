// Cuts UTF-8 text into words and checks that it is UTF-8, piece by piece: a word, or the bytes of one
// character, may be split between pieces anywhere.
//
// A word is a longest run of letters, marks and numbers. ASCII letters are lower-cased, others stand
// as they are. Of a word longer than 64 bytes the first 64 count (less when the 64th falls into the
// middle of a character), so that two such words that begin alike are one word.

struct Tokenizer: ~Copyable {
    static let longestWordByteCount = 64

    private let table = WordBytes.table
    private let scalars = WordScalars.shared
    /// The word begun: at most 64 bytes of it.
    private let word = UnsafeMutablePointer<UInt8>.allocate(capacity: longestWordByteCount)
    private var wordByteCount = 0
    private var isCut = false
    /// The bytes of a character that the last piece ended in: at most 3.
    private var partial: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
    private var partialByteCount = 0

    init() {}

    deinit { word.deallocate() }

    /// Adds the words that end in this piece. False: the text is not UTF-8, and `restart` must follow.
    mutating func consume(
        _ piece: UnsafeRawBufferPointer, into words: inout DocumentWords
    ) -> Bool {
        guard piece.count > 0 else { return true }
        let bytes = piece.assumingMemoryBound(to: UInt8.self).baseAddress!
        var index = 0
        if partialByteCount > 0 {
            guard let used = completePartial(bytes, piece.count, &words) else { return false }
            index = used
        }
        while index < piece.count {
            let mapped = table[Int(bytes[index])]
            if mapped == WordBytes.ends {
                if wordByteCount > 0 { endWord(&words) }
                index += 1
            } else if mapped != WordBytes.isBeyondASCII {
                append(mapped)
                index += 1
            } else {
                switch UTF8Scalar.decode(bytes + index, piece.count - index) {
                case .scalar(let value, let byteCount):
                    take(value, bytes + index, byteCount, &words)
                    index += byteCount
                case .incomplete:
                    keepPartial(bytes + index, piece.count - index)
                    return true
                case .invalid:
                    return false
                }
            }
        }
        return true
    }

    /// The text ends here. False: in the middle of a character.
    mutating func finish(into words: inout DocumentWords) -> Bool {
        if wordByteCount > 0 { endWord(&words) }
        let isWhole = partialByteCount == 0
        restart()
        return isWhole
    }

    /// Forgets what was begun.
    mutating func restart() {
        wordByteCount = 0
        isCut = false
        partialByteCount = 0
    }

    // MARK: - Characters

    @inline(__always)
    private mutating func append(_ byte: UInt8) {
        if wordByteCount < Self.longestWordByteCount && !isCut {
            word[wordByteCount] = byte
            wordByteCount += 1
        } else {
            isCut = true
        }
    }

    private mutating func take(
        _ value: UInt32, _ bytes: UnsafePointer<UInt8>, _ byteCount: Int,
        _ words: inout DocumentWords
    ) {
        guard scalars.contains(value) else {
            if wordByteCount > 0 { endWord(&words) }
            return
        }
        if isCut || wordByteCount + byteCount > Self.longestWordByteCount {
            isCut = true
            return
        }
        for index in 0..<byteCount { word[wordByteCount + index] = bytes[index] }
        wordByteCount += byteCount
    }

    private mutating func endWord(_ words: inout DocumentWords) {
        words.add(word, wordByteCount, isCut: isCut)
        wordByteCount = 0
        isCut = false
    }

    // MARK: - A character split between pieces

    private mutating func keepPartial(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        withUnsafeMutableBytes(of: &partial) { kept in
            for index in 0..<count { kept[index] = bytes[index] }
        }
        partialByteCount = count
    }

    /// How many bytes of the piece belong to the character begun before it; nil: not UTF-8.
    private mutating func completePartial(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ words: inout DocumentWords
    ) -> Int? {
        var whole = partial
        let known = partialByteCount
        let available = min(4 - known, count)
        return withUnsafeMutableBytes(of: &whole) { joined -> Int? in
            for index in 0..<available { joined[known + index] = bytes[index] }
            let start = joined.baseAddress!.assumingMemoryBound(to: UInt8.self)
            switch UTF8Scalar.decode(start, known + available) {
            case .scalar(let value, let byteCount):
                take(value, start, byteCount, &words)
                partialByteCount = 0
                return byteCount - known
            case .incomplete:
                keepPartial(start, known + available)
                return available
            case .invalid:
                return nil
            }
        }
    }
}
