// A path as the system has it: bytes, which need not be UTF-8. Documents are numbered by the order
// of these bytes, so that the order depends on no locale and on no folder's own order.
import Foundation

struct BytePath: Hashable, Comparable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(_ text: String) { bytes = Array(text.utf8) }

    /// For people: bytes that are not UTF-8 are shown as replacement characters.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether it leads anywhere.
    var exists: Bool {
        var facts = stat()
        return withCString { stat($0, &facts) } == 0
    }

    /// The entry `name` (without a terminator) of this folder.
    func appending(_ name: some Sequence<UInt8>) -> BytePath {
        var longer = bytes
        longer.reserveCapacity(bytes.count + 1 + name.underestimatedCount)
        if longer.last != UInt8(ascii: "/") { longer.append(UInt8(ascii: "/")) }
        longer.append(contentsOf: name)
        return BytePath(longer)
    }

    /// Whether this path is `folder` or stands somewhere below it.
    func isWithin(_ folder: BytePath) -> Bool {
        guard bytes.starts(with: folder.bytes) else { return false }
        return bytes.count == folder.bytes.count || folder.bytes.last == UInt8(ascii: "/")
            || bytes[folder.bytes.count] == UInt8(ascii: "/")
    }

    /// The folder that this path stands in.
    var parent: BytePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return BytePath(".") }
        return slash == 0 ? BytePath("/") : BytePath(Array(bytes[..<slash]))
    }

    /// Absolute, without links; nil when the path leads nowhere.
    var resolved: BytePath? {
        withCString { path in
            guard let real = realpath(path, nil) else { return nil }
            defer { free(real) }
            return BytePath(Array(UnsafeRawBufferPointer(start: real, count: strlen(real))))
        }
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count + 1) { buffer in
            _ = buffer.initialize(from: bytes)
            buffer[bytes.count] = 0
            return buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }

    static func < (left: BytePath, right: BytePath) -> Bool {
        let common = min(left.bytes.count, right.bytes.count)
        let order = left.bytes.withUnsafeBytes { leftBytes in
            right.bytes.withUnsafeBytes { rightBytes in
                common == 0 ? 0 : memcmp(leftBytes.baseAddress!, rightBytes.baseAddress!, common)
            }
        }
        return order == 0 ? left.bytes.count < right.bytes.count : order < 0
    }
}
