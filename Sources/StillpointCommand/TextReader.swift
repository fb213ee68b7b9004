// Reads one file after another, piece by piece, into one buffer: a file of any size costs the same
// memory. Opening does not wait (a file may have become a pipe since it was found), and what is
// opened is looked at again: it must still be a regular file. It is read up to the size that it had
// when it was found, or has then: a file that is written as fast as it is read ends all the same, and
// every run reads the same of it.
import Foundation

/// The system calls that find and read files, so that a test can let them fail.
struct FileCalls: Sendable {
    var open: @Sendable (UnsafePointer<CChar>) -> CInt
    var read: @Sendable (CInt, UnsafeMutableRawPointer, Int) -> Int
    var close: @Sendable (CInt) -> Void
    var openFolder: @Sendable (UnsafePointer<CChar>) -> OpaquePointer?

    static let system = FileCalls(
        open: { Foundation.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) },
        read: { Foundation.read($0, $1, $2) },
        close: { _ = Foundation.close($0) },
        openFolder: { opendir($0) })
}

struct TextReader: ~Copyable {
    static let pieceByteCount = 256 << 10
    /// So much is looked at before the rest of a file's first piece is read: most binary files show.
    private static let probeByteCount = 16 << 10

    enum Piece: Equatable {
        /// So many bytes stand in the buffer; more may follow.
        case bytes(Int)
        case end
        case failed(SkipReason)
    }

    private let calls: FileCalls
    private let buffer: UnsafeMutableRawBufferPointer
    private var descriptor: CInt = -1
    private var isFirstPiece = true
    private var isAtEnd = false
    /// Up to the size that is read.
    private var restByteCount = 0
    /// Whether the file that was read last went on after the size up to which it was read.
    private(set) var isGrown = false

    init(calls: FileCalls = .system, pieceByteCount: Int = TextReader.pieceByteCount) {
        self.calls = calls
        buffer = .allocate(byteCount: pieceByteCount, alignment: 16)
    }

    deinit {
        if descriptor >= 0 { calls.close(descriptor) }
        buffer.deallocate()
    }

    /// Opens a file and reads its first piece, of at most `byteCount` bytes in all. The file before it
    /// must have ended.
    mutating func begin(_ path: BytePath, upTo byteCount: Int = .max) -> Piece {
        precondition(descriptor < 0)
        descriptor = path.withCString { calls.open($0) }
        if descriptor < 0 { return .failed(Self.reason(errno)) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return fail(Self.reason(errno)) }
        guard facts.st_mode & S_IFMT == S_IFREG else { return fail(.unreadable) }
        isFirstPiece = true
        isAtEnd = false
        isGrown = false
        restByteCount = min(byteCount, Int(facts.st_size))
        return next()
    }

    /// The next piece. After `end` or `failed` the file is closed.
    mutating func next() -> Piece {
        precondition(descriptor >= 0)
        var filled = 0
        if isFirstPiece {
            isFirstPiece = false
            if let failure = fill(&filled, upTo: min(Self.probeByteCount, buffer.count)) {
                return failure
            }
            if memchr(buffer.baseAddress!, 0, filled) != nil { return fail(.binary) }
        }
        if let failure = fill(&filled, upTo: buffer.count) { return failure }
        if filled == 0 {
            if let failure = lookBeyond() { return failure }
            end()
            return .end
        }
        return .bytes(filled)
    }

    /// Gives up the file before its end.
    mutating func end() {
        if descriptor >= 0 { calls.close(descriptor) }
        descriptor = -1
    }

    /// The first `count` bytes of the piece read last; valid until the next piece.
    func piece(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
    }

    /// Reads until so many bytes stand in the buffer, or the file ends; nil unless it fails.
    private mutating func fill(_ filled: inout Int, upTo count: Int) -> Piece? {
        while filled < count && !isAtEnd && restByteCount > 0 {
            let wanted = min(count - filled, restByteCount)
            let readCount = calls.read(descriptor, buffer.baseAddress! + filled, wanted)
            if readCount < 0 && errno == EINTR { continue }
            if readCount < 0 { return fail(Self.reason(errno)) }
            isAtEnd = readCount == 0
            filled += readCount
            restByteCount -= readCount
        }
        return nil
    }

    /// Asks for one byte more than is read, into a buffer that holds nothing of use.
    private mutating func lookBeyond() -> Piece? {
        guard !isAtEnd else { return nil }
        restByteCount = 1
        var filled = 0
        if let failure = fill(&filled, upTo: 1) { return failure }
        isGrown = filled > 0
        return nil
    }

    private mutating func fail(_ reason: SkipReason) -> Piece {
        end()
        return .failed(reason)
    }

    private static func reason(_ errorNumber: CInt) -> SkipReason {
        errorNumber == ENOENT || errorNumber == ESTALE ? .vanished : .unreadable
    }
}
