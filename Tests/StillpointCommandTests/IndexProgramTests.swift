import Foundation
import Testing

@testable import StillpointCommand

@Suite struct IndexProgramTests {
    /// A small tree whose figures can be counted by hand.
    private func makeTree() -> TemporaryFolder {
        let folder = TemporaryFolder()
        folder.write("a", "one two two")
        folder.write("b/c", "two three — THREE three")
        folder.write("d", "one Füße")
        folder.write("e", "two one only")
        return folder
    }

    private func report(_ arguments: [String]) throws -> IndexReport {
        let ending = try BuiltProgram.run(["index", "--json"] + arguments)
        #expect(ending.exitCode == 0, "\(ending.errors)")
        #expect(ending.errors == "")
        return try JSONDecoder().decode(IndexReport.self, from: Data(ending.output.utf8))
    }

    @Test func `the figures are those counted by hand`() throws {
        let folder = makeTree()
        let report = try report([folder.path.text, "--threads", "2", "--query", "two", "one"])
        #expect(report.input.filesFound == 4)
        #expect(report.input.filesIndexed == 4)
        #expect(report.input.words == 12)
        #expect(report.input.distinctWords == 5)
        #expect(report.input.bytes == 11 + 25 + 10 + 12)
        #expect(report.runs.map(\.threads) == [1, 2])
        #expect(report.runs.allSatisfy { $0.distinctWords == 5 && $0.words == 12 })
        #expect(report.query.words == ["two", "one"])
        #expect(report.query.documents == 2)
        #expect(report.query.top.map(\.path) == [folder["a"].text, folder["e"].text])
        #expect(report.query.top.map(\.count) == [3, 2])
        #expect(report.halfDropped.documents == 2)
        #expect(report.halfDropped.words == 2)
        #expect(report.halfDropped.cyclicObjectsFreed > 0)
        #expect(report.allDropped.documents == 2)
        #expect(report.allDropped.objectsLeft == 0)
        #expect(report.checks.count == 4)
        #expect(report.failedChecks == [])
    }

    @Test func `files that cannot be indexed are counted and named, the others are indexed`() throws {
        let folder = makeTree()
        folder.write("binary", [0x00])
        folder.write("latin", [0xE9, 0x20])
        folder.link("loop", to: "loop")
        folder.link("gone", to: "nothing")
        let report = try report([folder.path.text])
        #expect(report.input.filesIndexed == 4)
        #expect(report.input.skippedCount == 4)
        #expect(report.input.skipped.map(\.path) == ["binary", "gone", "latin", "loop"].map {
            folder[$0].text
        })
        #expect(report.input.skipped.map(\.reason) == [
            "binary", "dangling link", "not UTF-8", "link loop",
        ])
        #expect(report.input.skippedByReason["binary"] == 1)
    }

    @Test func `more than ten skipped files are named up to ten for people, and all in JSON`() throws {
        let folder = makeTree()
        for number in 10..<35 { folder.write("binary\(number)", [0x00]) }
        let ending = try BuiltProgram.run(["index", folder.path.text])
        #expect(ending.exitCode == 0)
        #expect(ending.errors == "")
        #expect(ending.output.contains("binary19: binary"))
        #expect(!ending.output.contains("binary20: binary"))
        #expect(ending.output.contains("and 15 more"))
        #expect(try report([folder.path.text]).input.skipped.count == 25)
    }

    @Test func `one document, one word, an empty file and a word of a megabyte are all in order`() throws {
        let folder = TemporaryFolder()
        folder.write("empty", "")
        #expect(try report([folder.path.text]).input.words == 0)
        folder.write("one", "word")
        #expect(try report([folder["one"].text]).halfDropped.documents == 0)
        folder.write("long", String(repeating: "x", count: 1 << 20))
        let report = try report([folder.path.text, "--query", String(repeating: "x", count: 99)])
        #expect(report.input.cutWords == 1)
        #expect(report.query.documents == 1)
    }

    @Test func `the query's words may be in no document`() throws {
        let folder = makeTree()
        let report = try report([folder.path.text, "--query", "absent", "one"])
        #expect(report.query.documents == 0)
        #expect(report.query.top.isEmpty)
    }
}
