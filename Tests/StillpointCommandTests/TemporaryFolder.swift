// A folder of a test's own, gone when the test is over.
import Foundation

@testable import StillpointCommand

final class TemporaryFolder {
    let path: BytePath

    init() {
        var template = Array((NSTemporaryDirectory() + "/stillpoint-XXXXXX").utf8CString)
        precondition(mkdtemp(&template) != nil)
        path = BytePath(template.dropLast().map { UInt8(bitPattern: $0) })
    }

    deinit { try? FileManager.default.removeItem(atPath: path.text) }

    subscript(_ name: String) -> BytePath { path.appending(name.utf8) }

    /// Makes the folders on the way, too.
    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) -> BytePath {
        let file = self[name]
        makeFolder(file.parent)
        precondition(FileManager.default.createFile(atPath: file.text, contents: Data(bytes)))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) -> BytePath { write(name, text.utf8) }

    func makeFolder(_ name: String) { makeFolder(self[name]) }

    func link(_ name: String, to target: String) {
        makeFolder(self[name].parent)
        precondition(symlink(target, self[name].text) == 0)
    }

    private func makeFolder(_ folder: BytePath) {
        try! FileManager.default.createDirectory(
            atPath: folder.text, withIntermediateDirectories: true)
    }
}
