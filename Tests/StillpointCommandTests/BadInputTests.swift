import Foundation
import Testing

@testable import StillpointCommand

@Suite struct BadInputTests {
    /// Nothing on standard output, one line on standard error that holds `words`, this exit code.
    private func expectRefusal(
        _ arguments: [String], _ exitCode: Int32, _ words: String...,
        environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let ending = try BuiltProgram.run(arguments, environment: environment)
        #expect(ending.exitCode == exitCode, sourceLocation: sourceLocation)
        #expect(ending.output == "", sourceLocation: sourceLocation)
        #expect(ending.errorLines.count == 1, "\(ending.errors)", sourceLocation: sourceLocation)
        #expect(ending.errors.hasPrefix("stillpoint: "), sourceLocation: sourceLocation)
        #expect(ending.errors.hasSuffix("\n"), sourceLocation: sourceLocation)
        for word in words {
            #expect(ending.errors.contains(word), "\(ending.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ["0", "-1", "257", "abc", "1e3", ""])
    func `a number of threads that is none is refused as usage`(threads: String) throws {
        try expectRefusal(["index", "--threads", threads, "/usr"], 64, "threads")
    }

    @Test func `unknown options, missing values and unknown subcommands are refused as usage`() throws {
        try expectRefusal(["index", "--unknown"], 64, "--unknown")
        try expectRefusal(["index", "--threads"], 64, "--threads")
        try expectRefusal(["index", "--top", "0"], 64, "--top")
        try expectRefusal(["index", "--query", "?!"], 64, "--query")
        try expectRefusal(["unknown"], 64, "unknown")
        try expectRefusal(["--unknown"], 64, "--unknown")
    }

    @Test func `a variable of the runtime's that does not parse is refused as usage`() throws {
        let folder = TemporaryFolder()
        folder.write("file", "word")
        try expectRefusal(
            ["index", folder.path.text], 64, "STILLPOINT_COLLECTION_BYTES",
            environment: ["STILLPOINT_COLLECTION_BYTES": "much"])
    }

    @Test func `a missing path is refused before anything is read`() throws {
        let folder = TemporaryFolder()
        folder.write("file", "some words")
        try expectRefusal(
            ["index", folder.path.text, folder["missing"].text], 66, folder["missing"].text)
        try expectRefusal(["index", ""], 66, "empty path")
    }

    @Test func `folders without a file are no input`() throws {
        let folder = TemporaryFolder()
        folder.makeFolder("a/b")
        try expectRefusal(["index", folder.path.text], 66, "no files")
    }

    @Test func `a loop of links alone is no input, and ends`() throws {
        let folder = TemporaryFolder()
        folder.link("back", to: ".")
        folder.link("left", to: "right")
        folder.link("right", to: "left")
        try expectRefusal(["index", folder.path.text], 66, "no files")
        try expectRefusal(["index", folder["left"].text], 66, "loop")
    }

    @Test func `files that hold no text are a fault of the data`() throws {
        let folder = TemporaryFolder()
        folder.write("binary", [0x61, 0x00])
        folder.write("latin", [0x61, 0xE9, 0x20])
        try expectRefusal(["index", folder.path.text], 65, "binary 1", "not UTF-8 1")
    }

    @Test func `help and version are given on standard output`() throws {
        for arguments in [["--help"], ["index", "--help"], ["-h"], ["help", "index"]] {
            let ending = try BuiltProgram.run(arguments)
            #expect(ending.exitCode == 0)
            #expect(ending.errors == "")
            #expect(ending.output.contains("64   usage"))
        }
        for arguments in [["--version"], ["index", "--version"]] {
            let ending = try BuiltProgram.run(arguments)
            #expect(ending.exitCode == 0)
            #expect(ending.output == "0.1.0\n")
        }
    }
}
