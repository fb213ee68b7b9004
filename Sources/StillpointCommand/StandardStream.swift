// Standard output and standard error, written whole and unbuffered.
import Foundation

enum StandardStream: CInt, Sendable {
    case output = 1
    case error = 2

    /// What cannot be written is lost: for progress and errors, there is nobody left to tell.
    func write(_ text: String) { _ = send(text) }

    /// Throws when it cannot be written, but for a reader who wants no more: he is told nothing.
    func deliver(_ text: String) throws(CommandFailure) {
        let reason = send(text)
        if reason != 0 && reason != EPIPE { throw Self.failure(reason) }
    }

    /// Throws when it is closed: nothing that is done can be told then. To be called before any file
    /// is opened, which would take its place.
    func checkOpen() throws(CommandFailure) {
        if fcntl(rawValue, F_GETFD) < 0 { throw Self.failure(errno) }
    }

    private static func failure(_ errorNumber: CInt) -> CommandFailure {
        .output("standard output cannot be written: \(String(cString: strerror(errorNumber)))")
    }

    /// Returns 0, or the number of the error that ended it.
    private func send(_ text: String) -> CInt {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Foundation.write(rawValue, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                if count < 0 && errno == EAGAIN {
                    var wait = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                    continue
                }
                if count <= 0 { return count < 0 ? errno : EIO }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return 0
        }
    }
}
