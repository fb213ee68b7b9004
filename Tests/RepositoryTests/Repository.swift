// The repository as a tree of text files, for tests that read it.

import Foundation
import Testing

/// One text file of the repository.
struct RepositoryFile: CustomTestStringConvertible {
    /// From the repository's root: `Sources/Stillpoint/Stillpoint.swift`.
    let path: String
    let text: String

    var name: String { String(path.split(separator: "/").last!) }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var testDescription: String { path }

    /// The folder under `Sources` that a source file is in: its module.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What git ignores or keeps for itself, and what is not text of ours.
    private static func isForeign(_ name: String) -> Bool {
        name.hasPrefix(".") && name != ".ci" && name != ".editorconfig" || name == "docs-out"
            || name == "Package.resolved"
    }

    /// Every text file below `folder` (all of the repository, if empty), sorted by path. Files that are not UTF-8 are
    /// left out.
    static func files(under folder: String = "", withExtension pathExtensions: String...) -> [RepositoryFile] {
        var found: [RepositoryFile] = []
        collect(folder, into: &found)
        if !pathExtensions.isEmpty {
            found.removeAll { file in !pathExtensions.contains { file.path.hasSuffix("." + $0) } }
        }
        return found.sorted { $0.path < $1.path }
    }

    private static func collect(_ folder: String, into found: inout [RepositoryFile]) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url(folder).path)) ?? []
        for name in names where !isForeign(name) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            let values = try? url(path).resourceValues(forKeys: [.isDirectoryKey, .isSymbolicLinkKey])
            if values?.isSymbolicLink == true { continue }
            if values?.isDirectory == true {
                collect(path, into: &found)
            } else if let text = try? String(contentsOf: url(path), encoding: .utf8) {
                found.append(RepositoryFile(path: path, text: text))
            }
        }
    }

    static func file(_ path: String) -> RepositoryFile? {
        (try? String(contentsOf: url(path), encoding: .utf8)).map { RepositoryFile(path: path, text: $0) }
    }

    static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url(path).path) }

    static func url(_ path: String) -> URL { path.isEmpty ? root : root.appending(path: path) }

    /// Swift and C files of the modules.
    static var sources: [RepositoryFile] { files(under: "Sources", withExtension: "swift", "c", "h") }
}
