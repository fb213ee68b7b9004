import Foundation
import Synchronization
import Testing

@testable import StillpointCommand

private final class Turns: Sendable {
    let number = Atomic<Int>(0)
}

@Suite struct TextReaderTests {
    private func check(
        _ piece: TextReader.Piece, _ expected: TextReader.Piece,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(piece == expected, sourceLocation: sourceLocation)
    }

    private func readAll(_ reader: inout TextReader, _ path: BytePath) -> ([UInt8], TextReader.Piece) {
        var bytes: [UInt8] = []
        var piece = reader.begin(path)
        while case .bytes(let count) = piece {
            bytes += reader.piece(count)
            piece = reader.next()
        }
        return (bytes, piece)
    }

    @Test func `pieces of any size join to the file`() {
        let folder = TemporaryFolder()
        let text = Array("some text, é日😀".utf8)
        let file = folder.write("file", text)
        for pieceByteCount in 1...text.count + 1 {
            var reader = TextReader(pieceByteCount: pieceByteCount)
            for _ in 0..<2 {
                let (bytes, last) = readAll(&reader, file)
                #expect(bytes == text)
                #expect(last == .end)
            }
        }
    }

    @Test func `an empty file ends at once`() {
        let folder = TemporaryFolder()
        var reader = TextReader()
        check(reader.begin(folder.write("file", "")), .end)
    }

    @Test func `a NUL at the start is binary, later it is not asked for`() {
        let folder = TemporaryFolder()
        let file = folder.write("file", [0x61, 0x62, 0x00])
        var whole = TextReader()
        check(whole.begin(file), .failed(.binary))
        var pieces = TextReader(pieceByteCount: 2)
        check(readAll(&pieces, file).1, .end)
    }

    @Test func `a file that vanished, a folder and a pipe are refused without waiting`() {
        let folder = TemporaryFolder()
        #expect(mkfifo(folder["pipe"].text, 0o600) == 0)
        var reader = TextReader()
        check(reader.begin(folder["gone"]), .failed(.vanished))
        check(reader.begin(folder.path), .failed(.unreadable))
        check(reader.begin(folder["pipe"]), .failed(.unreadable))
        check(reader.begin(folder.write("file", "x")), .bytes(1))
        reader.end()
    }

    @Test func `an error of the system makes a file unreadable, at its start and in its middle`() {
        let folder = TemporaryFolder()
        let file = folder.write("file", "abcdef")
        var refused = FileCalls.system
        refused.open = { _ in
            errno = EACCES
            return -1
        }
        var closed = TextReader(calls: refused)
        check(closed.begin(file), .failed(.unreadable))

        var broken = FileCalls.system
        broken.read = { descriptor, buffer, count in
            if lseek(descriptor, 0, SEEK_CUR) >= 2 {
                errno = EIO
                return -1
            }
            return read(descriptor, buffer, count)
        }
        var reader = TextReader(calls: broken, pieceByteCount: 2)
        check(reader.begin(file), .bytes(2))
        check(reader.next(), .failed(.unreadable))
    }

    @Test func `short and interrupted reads fill a piece all the same`() {
        let folder = TemporaryFolder()
        let file = folder.write("file", "abcdef")
        let turns = Turns()
        var slow = FileCalls.system
        slow.read = { descriptor, buffer, count in
            if turns.number.add(1, ordering: .relaxed).newValue % 2 == 0 {
                errno = EINTR
                return -1
            }
            return read(descriptor, buffer, min(count, 1))
        }
        var reader = TextReader(calls: slow, pieceByteCount: 4)
        check(reader.begin(file), .bytes(4))
        check(reader.next(), .bytes(2))
        check(reader.next(), .end)
    }

    @Test func `a file that grows while it is read ends at the size that it had, and says so`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("file", "abc")
        var reader = TextReader(pieceByteCount: 2)
        check(reader.begin(file), .bytes(2))
        try FileHandle(forWritingTo: URL(filePath: file.text)).write(contentsOf: Data("abcdef".utf8))
        check(reader.next(), .bytes(1))
        check(reader.next(), .end)
        let isGrown = reader.isGrown
        #expect(isGrown)
        check(reader.begin(folder.write("other", "x")), .bytes(1))
        check(reader.next(), .end)
        let isOtherGrown = reader.isGrown
        #expect(!isOtherGrown)
    }

    @Test func `a file that shrinks while it is read ends where it now ends`() {
        let folder = TemporaryFolder()
        let file = folder.write("file", "abcdef")
        var reader = TextReader(pieceByteCount: 2)
        check(reader.begin(file), .bytes(2))
        #expect(truncate(file.text, 3) == 0)
        check(reader.next(), .bytes(1))
        check(reader.next(), .end)
    }
}
