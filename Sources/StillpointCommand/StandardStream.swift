// Standard output and standard error, written whole and unbuffered.
import Foundation

enum StandardStream: CInt, Sendable {
    case output = 1
    case error = 2

    /// What cannot be written is lost: there is nobody left to tell.
    func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Foundation.write(rawValue, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
