import Testing

@testable import StillpointCommand

/// The words of a text and their counts, or nil when it is not UTF-8.
private func count(_ pieces: [[UInt8]]) -> [String: Int]? {
    var words = DocumentWords()
    var tokenizer = Tokenizer()
    for piece in pieces {
        guard consume(piece, &tokenizer, &words) else { return nil }
    }
    guard tokenizer.finish(into: &words) else { return nil }
    return dictionary(words)
}

private func consume(
    _ bytes: [UInt8], _ tokenizer: inout Tokenizer, _ words: inout DocumentWords
) -> Bool {
    bytes.withUnsafeBytes { tokenizer.consume($0, into: &words) }
}

private func dictionary(_ words: borrowing DocumentWords) -> [String: Int] {
    var counts: [String: Int] = [:]
    for index in 0..<words.count {
        let entry = words.entry(index)
        counts[String(decoding: words.text(entry), as: UTF8.self)] = entry.count
    }
    return counts
}

@Suite struct TokenizerTests {
    @Test func `words are runs of letters and digits, ASCII in lower case`() {
        #expect(count([Array("The cat, the CAT2; x_y".utf8)])
            == ["the": 2, "cat": 1, "cat2": 1, "x": 1, "y": 1])
        #expect(count([[]]) == [:])
        #expect(count([Array(" ,;\n".utf8)]) == [:])
    }

    @Test func `letters, marks and numbers beyond ASCII belong to words, punctuation does not`() {
        #expect(count([Array("naïve—Straße “日本” नमस्ते 𝔘x😀y Äb".utf8)]) == [
            "naïve": 1, "straße": 1, "日本": 1, "नमस्ते": 1, "𝔘x": 1, "y": 1, "Äb": 1,
        ])
    }

    static let samples = [
        "ab Cd  e", "é", "aé—b", "日本 go", "x😀y𝔘", "\u{10FFFF}a\u{7FF}\u{800}\u{FFFF}", "नमa",
    ]

    @Test(arguments: samples)
    func `a text split anywhere has the words of the whole`(text: String) {
        let bytes = Array(text.utf8)
        let whole = count([bytes])
        #expect(whole != nil)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [
                    Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...]),
                ]
                #expect(count(pieces) == whole, "split at \(first) and \(second)")
            }
        }
        #expect(count(bytes.map { [$0] }) == whole)
    }

    @Test func `every pair of bytes is taken or refused as the standard library does, split or whole`() {
        for first in UInt8.min...255 {
            for second in UInt8.min...255 {
                let bytes = [first, second]
                let isValid = String(validating: bytes, as: UTF8.self) != nil
                if (count([bytes]) != nil) != isValid || (count([[first], [second]]) != nil) != isValid {
                    Issue.record("\(bytes)")
                }
            }
        }
    }

    @Test func `bytes at every boundary of the table of well-formed sequences are judged right`() {
        let leads: [UInt8] = [
            0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        let trails: [UInt8] = [0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xE0, 0xFF]
        for lead in leads {
            for second in trails {
                for third in trails {
                    for fourth in trails {
                        let bytes = [lead, second, third, fourth]
                        let isValid = String(validating: bytes, as: UTF8.self) != nil
                        let splits = [[bytes], bytes.map { [$0] }, [[lead], Array(bytes[1...])],
                            [Array(bytes[...1]), Array(bytes[2...])],
                            [Array(bytes[...2]), [fourth]]]
                        for pieces in splits where (count(pieces) != nil) != isValid {
                            Issue.record("\(pieces)")
                        }
                    }
                }
            }
        }
    }

    @Test func `a text that ends inside a character is not UTF-8`() {
        for text in ["é", "日", "😀"] {
            let bytes = Array(text.utf8)
            for end in 1..<bytes.count { #expect(count([Array(bytes[..<end])]) == nil) }
        }
    }

    @Test func `after a refused text the next begins anew`() {
        var words = DocumentWords()
        var tokenizer = Tokenizer()
        let isRefused = !consume(Array("abc".utf8) + [0xE2, 0x41], &tokenizer, &words)
        #expect(isRefused)
        tokenizer.restart()
        words.removeAll()
        let isTaken = consume(Array("def".utf8), &tokenizer, &words)
        let isWhole = tokenizer.finish(into: &words)
        #expect(isTaken && isWhole)
        #expect(dictionary(words) == ["def": 1])
    }

    @Test func `a word over 64 bytes counts by its first 64, wherever it is split`() {
        let long = String(repeating: "a", count: 64)
        for length in 62...67 {
            let bytes = Array((String(repeating: "a", count: length) + " b").utf8)
            let expected = [String(long.prefix(length)): 1, "b": 1]
            for split in 0...bytes.count {
                #expect(count([Array(bytes[..<split]), Array(bytes[split...])]) == expected)
            }
        }
    }

    @Test func `a word is cut before a character that does not fit whole`() {
        for letters in 60...64 {
            let text = String(repeating: "a", count: letters) + "日bc"
            let expected = letters <= 61
                ? String(text.unicodeScalars.prefix(letters + 1 + (64 - letters - 3)))
                : String(repeating: "a", count: letters)
            #expect(count([Array(text.utf8)]) == [expected: 1])
        }
    }

    @Test func `words cut to 64 bytes are counted`() {
        var words = DocumentWords()
        var tokenizer = Tokenizer()
        let text = String(repeating: "x", count: 65) + " y " + String(repeating: "z", count: 64)
        _ = consume(Array(text.utf8), &tokenizer, &words)
        _ = tokenizer.finish(into: &words)
        #expect(words.cutCount == 1)
        #expect(words.tokenCount == 3)
    }
}
