// The small files in which Linux states facts (/proc, /sys). Read without Foundation; into the
// caller's buffer where no memory may be allocated, into a string where facts are gathered once at
// set-up.

internal import Glibc

enum SystemFile {
    /// Reads the file at `path` into `buffer`, as much of it as fits; returns the number of bytes.
    static func read(
        _ path: StaticString, into buffer: UnsafeMutableRawBufferPointer
    ) throws(PlatformError) -> Int {
        let file = unsafe openFile(
            UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self), O_RDONLY)
        guard file >= 0 else { throw .last(path) }
        defer { close(file) }
        guard let count = unsafe fill(buffer, from: file) else { throw .last(path) }
        return count
    }

    /// Overwrites the file at `path` with one character.
    static func write(_ character: UInt8, to path: StaticString) throws(PlatformError) {
        let file = unsafe openFile(
            UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self), O_WRONLY)
        guard file >= 0 else { throw .last(path) }
        defer { close(file) }
        var byte = character
        guard unsafe Glibc.write(file, &byte, 1) == 1 else { throw .last(path) }
    }

    /// The text of the file at `path`, 1 MiB of it at most; `nil` if it cannot be read.
    static func text(_ path: String) -> String? {
        let file = unsafe openFile(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        var used = 0
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { space in
                unsafe fill(UnsafeMutableRawBufferPointer(rebasing: space[used...]), from: file)
            }
            guard let count else { return nil }
            used += count
            if used < bytes.count || bytes.count >= 1 << 20 { break }
            bytes.append(contentsOf: repeatElement(0, count: bytes.count))
        }
        return String(decoding: bytes[..<used], as: UTF8.self)
    }

    /// The file's number; below 0, with the reason in `errno`, if it cannot be opened.
    private static func openFile(_ path: UnsafePointer<CChar>, _ mode: CInt) -> CInt {
        if FailurePoint.fails(.file) {
            errno = EMFILE
            return -1
        }
        return unsafe open(path, mode | O_CLOEXEC)
    }

    /// Reads until the buffer is full or the file is at its end; `nil`, with the reason in `errno`,
    /// if a read fails.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: CInt) -> Int? {
        var used = 0
        while used < buffer.count {
            let count = unsafe Glibc.read(file, buffer.baseAddress! + used, buffer.count - used)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 { break }
            used += count
        }
        return used
    }
}
