// A file that was found and is not in the index, and why.

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
}
