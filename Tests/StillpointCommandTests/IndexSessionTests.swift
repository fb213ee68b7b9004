import Foundation
import Testing

@testable import StillpointCommand

/// Numbers that come again with the same seed (SplitMix64, by Sebastiano Vigna).
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct IndexSessionTests {
    /// Files of few and many words, some common to all, some in one file only.
    private func makeTree(fileCount: Int, seed: UInt64) -> TemporaryFolder {
        var numbers = SeededNumbers(state: seed)
        let folder = TemporaryFolder()
        for file in 0..<fileCount {
            var text = ""
            for _ in 0..<Int.random(in: 0..<600, using: &numbers) {
                // The product of two numbers: some words come often, most seldom.
                let rank = Int.random(in: 1...60, using: &numbers) * Int.random(in: 1...60, using: &numbers)
                text += "word\(rank) "
            }
            text += "own\(file)"
            folder.write("\(file % 7)/file\(file)", text)
        }
        return folder
    }

    private func session(
        _ folder: TemporaryFolder, threads: Int, query: [String] = [], top: Int = 5,
        limit: InputLimit? = nil, calls: FileCalls = .system
    ) -> IndexSession {
        IndexSession(
            paths: [folder.path], threadCount: threads, query: QueryWords(query).words, top: top,
            limit: limit, calls: calls, progress: ProgressLine(isShown: false))
    }

    @Test func `1, 2, 4 and 16 threads make the same heap, and the same after each drop`() throws {
        let seed = UInt64.random(in: 0...(.max))
        print("seed \(seed)")
        let folder = makeTree(fileCount: 150, seed: seed)
        let reports = try [1, 2, 4, 16].map { try session(folder, threads: $0).run() }
        let first = reports[0]
        for report in reports {
            #expect(report.failedChecks == [])
            #expect(report.runs[1].objects == first.runs[0].objects)
            #expect(report.runs[1].objectBytes == first.runs[0].objectBytes)
            #expect(report.runs[1].distinctWords == first.runs[0].distinctWords)
            #expect(report.runs[1].words == first.runs[0].words)
            #expect(report.query.top.map(\.path) == first.query.top.map(\.path))
            #expect(report.halfDropped.objectsLeft == first.halfDropped.objectsLeft)
            #expect(report.halfDropped.objectBytesLeft == first.halfDropped.objectBytesLeft)
            #expect(report.halfDropped.words == first.halfDropped.words)
            #expect(report.halfDropped.cyclicObjectsFreed == first.halfDropped.cyclicObjectsFreed)
            #expect(report.allDropped.objectsLeft == 0)
        }
    }

    @Test func `a query finds what a plain count of the files finds`() throws {
        let seed = UInt64.random(in: 0...(.max))
        print("seed \(seed)")
        let folder = makeTree(fileCount: 60, seed: seed)
        let words: Set<Substring> = ["word12", "word24"]
        var expected: [String: Int] = [:]
        for file in try FileDiscovery(roots: [folder.path]).files {
            let text = try String(contentsOfFile: file.path.text, encoding: .utf8).split(separator: " ")
            if words.isSubset(of: text) { expected[file.path.text] = text.count { words.contains($0) } }
        }
        let report = try session(folder, threads: 4, query: ["Word12", "word24"], top: 1000).run()
        #expect(report.query.documents == expected.count)
        #expect(
            Dictionary(uniqueKeysWithValues: report.query.top.map { ($0.path, $0.count) }) == expected)
        #expect(report.query.top.map(\.count) == report.query.top.map(\.count).sorted(by: >))
    }

    @Test func `a file that cannot be opened is skipped and named`() throws {
        let folder = makeTree(fileCount: 10, seed: 1)
        let refused = folder["3/file3"].text
        var calls = FileCalls.system
        calls.open = { path in
            if String(cString: path) == refused {
                errno = EACCES
                return -1
            }
            return FileCalls.system.open(path)
        }
        let report = try session(folder, threads: 2, calls: calls).run()
        #expect(report.input.filesIndexed == 9)
        #expect(report.input.skipped.map(\.path) == [refused])
        #expect(report.input.skipped.map(\.reason) == ["unreadable"])
        #expect(report.failedChecks == [])
    }

    @Test func `a file that shrinks or vanishes meanwhile is named, and excuses a difference`() throws {
        let folder = makeTree(fileCount: 10, seed: 2)
        let shrinking = folder.write("shrinking", "one two three four")
        let vanishing = folder.write("vanishing", "five six")
        var calls = FileCalls.system
        calls.open = { path in
            let descriptor = FileCalls.system.open(path)
            // After its first opening: the first run reads less than was found, the second less still.
            if String(cString: path) == shrinking.text {
                var facts = stat()
                stat(path, &facts)
                truncate(path, max(0, facts.st_size - 5))
            }
            if String(cString: path) == vanishing.text { unlink(path) }
            return descriptor
        }
        let report = try session(folder, threads: 2, calls: calls).run()
        #expect(report.input.shrunk == [shrinking.text])
        #expect(report.input.changed == [shrinking.text, vanishing.text])
        #expect(report.input.skipped.map(\.reason) == ["vanished"])
        #expect(report.failedChecks == [])
    }

    @Test func `a limit of bytes leaves out what goes beyond it, and says so`() throws {
        let folder = TemporaryFolder()
        for name in ["a", "b", "c", "d"] { folder.write(name, "0123456789") }
        let limit = InputLimit(byteCount: 25, nanoseconds: .max)
        let report = try session(folder, threads: 2, limit: limit).run()
        #expect(report.input.filesIndexed == 2)
        #expect(report.input.filesLeftOut == 2)
        #expect(report.input.bytes == 20)
        #expect(report.input.defaultLimit?.isReached == true)
        #expect(TextReport.render(report).contains("no path given"))
        #expect(TextReport.render(report).contains("the limit left out 2 files"))
        #expect(report.failedChecks == [])
    }

    @Test func `with no path the folder it stands in is read first, then only what is there`() {
        let roots = DefaultInput.roots()
        #expect(roots.first == BytePath("."))
        #expect(roots.allSatisfy { FileManager.default.fileExists(atPath: $0.text) })
        #expect(Set(roots).count == roots.count)
    }

    @Test func `a limit of time stops the one-thread run, and the second reads what that one took`() throws {
        let folder = makeTree(fileCount: 10, seed: 3)
        var calls = FileCalls.system
        calls.read = { descriptor, buffer, count in
            usleep(2000)
            return FileCalls.system.read(descriptor, buffer, count)
        }
        let limit = InputLimit(byteCount: .max, nanoseconds: 5_000_000)
        let report = try session(folder, threads: 2, limit: limit, calls: calls).run()
        #expect(report.input.filesIndexed >= 1)
        #expect(report.input.filesIndexed + report.input.filesLeftOut == 10)
        #expect(report.input.filesLeftOut > 0)
        #expect(report.failedChecks == [])
    }

    @Test func `a file is read in pieces, whatever its size`() throws {
        let folder = TemporaryFolder()
        let word = "abcdefghi "
        let count = TextReader.pieceByteCount * 3 / word.utf8.count
        folder.write("large", String(repeating: word, count: count))
        let report = try session(folder, threads: 2).run()
        #expect(report.input.words == count)
        #expect(report.input.distinctWords == 1)
    }
}
