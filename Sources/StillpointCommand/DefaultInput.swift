// What is read when no path is given: this folder, then the documentation, the C headers and the
// Swift toolchain's headers, as far as they are here; and how much of it.
import Foundation

struct InputLimit: Sendable {
    let byteCount: Int
    let nanoseconds: UInt64
}

enum DefaultInput {
    static let limit = InputLimit(byteCount: 200_000_000, nanoseconds: 20_000_000_000)

    static func roots() -> [BytePath] {
        let places = ["/usr/share/doc", "/usr/include"].map { BytePath($0) } + toolchainFolders()
        return (isHereDeleted ? [] : [BytePath(".")]) + places.filter(isFolder)
    }

    /// This folder can still be opened then, and holds nothing.
    static var isHereDeleted: Bool { BytePath(".").resolved == nil && errno == ENOENT }

    /// Beside the `swift` that stands first in PATH.
    private static func toolchainFolders() -> [BytePath] {
        guard let search = getenv("PATH") else { return [] }
        for folder in String(cString: search).split(separator: ":") {
            let program = BytePath(String(folder) + "/swift")
            guard program.withCString({ access($0, X_OK) }) == 0, let real = program.resolved
            else { continue }
            let root = real.parent.parent
            return [["include"], ["lib", "clang"], ["lib", "swift"]].map { names in
                names.reduce(root) { $0.appending($1.utf8) }
            }
        }
        return []
    }

    private static func isFolder(_ path: BytePath) -> Bool {
        var facts = stat()
        return path.withCString { stat($0, &facts) } == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }
}
