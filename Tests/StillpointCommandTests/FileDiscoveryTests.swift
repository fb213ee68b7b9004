import Foundation
import Testing

@testable import StillpointCommand

@Suite struct FileDiscoveryTests {
    private func names(_ discovery: FileDiscovery, in folder: TemporaryFolder) -> [String] {
        discovery.files.map { String($0.path.text.dropFirst(folder.path.text.count + 1)) }
    }

    @Test func `files come out in the order of their paths' bytes`() throws {
        let folder = TemporaryFolder()
        for name in ["b", "a/z", "a/b/c", "a.txt", "B", "é", "a0"] { folder.write(name, name) }
        let found = try FileDiscovery(roots: [folder.path])
        #expect(names(found, in: folder) == ["B", "a.txt", "a/b/c", "a/z", "a0", "b", "é"])
        #expect(found.files.map(\.byteCount) == [1, 5, 5, 3, 2, 1, 2])
        #expect(found.skipped.isEmpty)
    }

    @Test func `a file reached by two ways is found once, by its own path where there is one`() throws {
        let folder = TemporaryFolder()
        folder.write("z/real", "x")
        folder.link("a-link", to: "z/real")
        folder.link("b-folder", to: "z")
        let found = try FileDiscovery(roots: [folder.path, folder["z"], folder["z/real"]])
        #expect(names(found, in: folder) == ["z/real"])
        #expect(found.repeatedCount == 4)
        #expect(found.skipped.isEmpty)
    }

    @Test func `links are followed out of the tree`() throws {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        other.write("below/file", "x")
        other.write("alone", "y")
        folder.link("folder", to: other["below"].text)
        folder.link("file", to: other["alone"].text)
        let found = try FileDiscovery(roots: [folder.path])
        #expect(names(found, in: folder) == ["file", "folder/file"])
    }

    @Test func `a loop of links is named, whether it leads back or nowhere`() throws {
        let folder = TemporaryFolder()
        folder.write("a/file", "x")
        folder.link("a/back", to: "..")
        folder.link("a/self", to: ".")
        folder.link("left", to: "right")
        folder.link("right", to: "left")
        let found = try FileDiscovery(roots: [folder.path])
        #expect(names(found, in: folder) == ["a/file"])
        #expect(found.skipped == ["a/back", "a/self", "left", "right"].map {
            SkippedFile(path: folder[$0], reason: .linkLoop)
        })
    }

    @Test func `a loop through a folder outside of the tree ends`() throws {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        folder.link("out", to: other.path.text)
        other.link("in", to: folder.path.text)
        other.write("file", "x")
        let found = try FileDiscovery(roots: [folder.path])
        #expect(names(found, in: folder) == ["out/file"])
        #expect(found.repeatedCount == 1)
    }

    @Test func `a link that leads nowhere and a pipe are named and skipped`() throws {
        let folder = TemporaryFolder()
        folder.link("gone", to: "nothing")
        #expect(mkfifo(folder["pipe"].text, 0o600) == 0)
        let found = try FileDiscovery(roots: [folder.path])
        #expect(found.files.isEmpty)
        #expect(found.skipped == [
            SkippedFile(path: folder["gone"], reason: .danglingLink),
            SkippedFile(path: folder["pipe"], reason: .special),
        ])
    }

    @Test func `names that begin with a dot are passed over unless given`() throws {
        let folder = TemporaryFolder()
        folder.write(".hidden/file", "x")
        folder.write(".file", "x")
        folder.write("file", "x")
        let found = try FileDiscovery(roots: [folder.path])
        #expect(names(found, in: folder) == ["file"])
        #expect(found.hiddenCount == 2)
        let given = try FileDiscovery(roots: [folder[".hidden"], folder[".file"]])
        #expect(names(given, in: folder) == [".file", ".hidden/file"])
    }

    @Test func `a path that leads nowhere is refused before any walk`() {
        let folder = TemporaryFolder()
        folder.write("file", "x")
        folder.link("left", to: "right")
        folder.link("right", to: "left")
        #expect(mkfifo(folder["pipe"].text, 0o600) == 0)
        for name in ["missing", "file/below", "left", "pipe"] {
            #expect {
                try FileDiscovery(roots: [folder.path, folder[name]])
            } throws: { error in
                guard case .noInput(let line) = error as? CommandFailure else { return false }
                return line.contains(folder[name].text) && !line.contains("\n")
            }
        }
    }

    @Test func `a file given as a path is found, and its name may be no UTF-8`() throws {
        let folder = TemporaryFolder()
        let path = folder.path.appending([0x66, 0xFF])
        let file = path.withCString { open($0, O_CREAT | O_WRONLY, 0o600) }
        #expect(file >= 0)
        close(file)
        let given = try FileDiscovery(roots: [path])
        let walked = try FileDiscovery(roots: [folder.path])
        #expect(given.files.map(\.path) == [path])
        #expect(walked.files.map(\.path) == [path])
    }

    @Test func `roots keep their order where asked`() throws {
        let folder = TemporaryFolder()
        folder.write("b/2", "x")
        folder.write("b/1", "x")
        folder.write("a/1", "x")
        let found = try FileDiscovery(roots: [folder["b"], folder["a"]], keepsRootOrder: true)
        #expect(names(found, in: folder) == ["b/1", "b/2", "a/1"])
    }

    @Test func `a folder nested a thousand deep is walked`() throws {
        let folder = TemporaryFolder()
        folder.write(Array(repeating: "d", count: 1000).joined(separator: "/") + "/file", "x")
        let found = try FileDiscovery(roots: [folder.path])
        #expect(found.files.count == 1)
    }
}
