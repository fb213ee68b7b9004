// A file that was found and is not in the index, and why.
import Foundation

enum SkipReason: String, CaseIterable, Sendable {
    case binary
    case notUTF8 = "not UTF-8"
    case unreadable
    case vanished
    case linkLoop = "link loop"
    case danglingLink = "dangling link"
    case special = "not a regular file"
}

struct SkippedFile: Equatable, Sendable {
    let path: BytePath
    let reason: SkipReason

    /// For the line of an error; the system's own word, if it refuses the file still.
    var account: String {
        let account = "\(path.text): \(reason.rawValue)"
        guard reason == .unreadable, path.withCString({ access($0, R_OK) }) != 0 else { return account }
        return account + " (\(String(cString: strerror(errno))))"
    }

    /// ` (a: unreadable; b: binary)`: the first few.
    static func accounts(of files: [SkippedFile]) -> String {
        guard !files.isEmpty else { return "" }
        let more = files.count - 3
        return " (" + files.prefix(3).map(\.account).joined(separator: "; ")
            + (more > 0 ? "; and \(Figures.count(more)) more" : "") + ")"
    }
}
