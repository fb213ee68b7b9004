import Foundation
import Testing

@testable import StillpointCommand

@Suite struct BadInputTests {
    /// Nothing on standard output, one line on standard error that holds `words`, this exit code.
    private func expectRefusal(
        _ arguments: [String], _ exitCode: Int32, _ words: String...,
        environment: [String: String] = [:], in folder: BytePath? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let ending = try BuiltProgram.run(arguments, environment: environment, in: folder)
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

    @Test func `a number of threads in the environment has the limit of the option`() throws {
        let folder = TemporaryFolder()
        folder.write("file", "word")
        let environment = ["STILLPOINT_THREADS": "257"]
        try expectRefusal(
            ["index", folder.path.text], 64, "STILLPOINT_THREADS", "256", environment: environment)
        let ending = try BuiltProgram.run(
            ["index", folder.path.text, "--threads", "2"], environment: environment)
        #expect(ending.exitCode == 0)
    }

    @Test func `unknown variables of ours are named in one line, and the run goes on`() throws {
        let folder = TemporaryFolder()
        folder.write("file", "word")
        let ending = try BuiltProgram.run(
            ["index", folder.path.text],
            environment: ["STILLPOINT_THREAD": "2", "STILLPOINT_UNHEARD_OF": "x"])
        #expect(ending.exitCode == 0)
        #expect(ending.errorLines.count == 1)
        #expect(ending.errors.hasPrefix("stillpoint: warning: STILLPOINT_THREAD: no such option"))
        #expect(ending.errors.contains("STILLPOINT_THREADS?"))
        #expect(ending.errors.contains("STILLPOINT_UNHEARD_OF"))
        #expect(ending.output.contains("Checks"))
    }

    @Test func `a path behind the words of a query is refused, unless two dashes stand before it`() throws {
        let folder = TemporaryFolder()
        folder.write("a", "hello")
        try expectRefusal(["index", "--query", "hello", "a"], 64, "'a'", "--query", "--", in: folder.path)
        try expectRefusal(["index", "--query", "hello", folder["a"].text], 64, folder["a"].text)
        for arguments in [["--query", "hello", "a", "--", "a"], ["a", "--query", "hello", "a"]] {
            let ending = try BuiltProgram.run(["index"] + arguments, in: folder.path)
            #expect(ending.exitCode == 0, "\(ending.errors)")
        }
    }

    @Test func `a report that cannot be written is a failure, and so is a help text`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("file", "word")
        let full = FileManager.default.fileExists(atPath: "/dev/full") ? [">/dev/full", ">&-"] : [">&-"]
        for redirection in full {
            for arguments in ["index \"$1\"", "index --json \"$1\"", "--help", "--version"] {
                let ending = try BuiltProgram.runShell("exec \"$0\" \(arguments) \(redirection)", file)
                #expect(ending.exitCode == 74, "\(arguments) \(redirection)")
                #expect(ending.errors.hasPrefix("stillpoint: standard output cannot be written: "))
                #expect(ending.errors.split(separator: "\n").count == 1)
            }
        }
    }

    @Test func `a reader who leaves is told nothing`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("file", "word")
        for trap in ["", "trap '' PIPE; "] {
            let ending = try BuiltProgram.runShell("\(trap){ sleep 0.1; \"$0\" index \"$1\"; } | true", file)
            #expect(ending.exitCode == 0)
            #expect(ending.errors == "")
        }
    }

    @Test func `a deleted folder is passed over with a word`() throws {
        let folder = TemporaryFolder()
        folder.makeFolder("gone")
        // The default input takes long: the first line is enough.
        let ending = try BuiltProgram.runShell(
            "cd \"$1/gone\" && rmdir \"$1/gone\" && exec \"$0\" index", folder.path, isEndedByALine: true)
        #expect(ending.errors.contains("this folder has been deleted; it is passed over"))
    }

    @Test func `the name in an error line is one line`() throws {
        let folder = TemporaryFolder()
        try expectRefusal(["index", folder["no\nsuch\u{1B}[2J"].text], 66, #"no\nsuch\u{1B}[2J"#)
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `what may not be read is named with the reason`() throws {
        let folder = TemporaryFolder()
        let file = folder.write("file", "word")
        folder.makeFolder("locked")
        #expect(chmod(file.text, 0) == 0 && chmod(folder["locked"].text, 0) == 0)
        defer { chmod(folder["locked"].text, 0o700) }
        try expectRefusal(["index", file.text], 65, file.text, "unreadable", "Permission denied")
        try expectRefusal(
            ["index", folder["locked"].text], 66, folder["locked"].text, "unreadable", "Permission denied")
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
            #expect(ending.output.contains("74   output"))
        }
        for arguments in [["--version"], ["index", "--version"]] {
            let ending = try BuiltProgram.run(arguments)
            #expect(ending.exitCode == 0)
            #expect(ending.output == "0.1.0\n")
        }
    }
}
