import Foundation
import StillpointTestSupport
import Synchronization
import Testing

@testable import StillpointCommand

/// What a session opened.
private final class Openings: Sendable {
    let number = Atomic<Int>(0)
    let paths = Mutex<[String]>([])
}

@Suite struct IndexSessionTests {
    /// Files of few and many words, some common to all, some in one file only.
    private func makeTree(fileCount: Int, seed: UInt64) -> TemporaryFolder {
        var numbers = SplitMix64(seed: seed)
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

    @Test func `a file that shrinks or vanishes meanwhile is named, and its runs are not compared`() throws {
        let folder = makeTree(fileCount: 10, seed: 2)
        let shrinking = folder.write("shrinking", "one two three four")
        let vanishing = folder.write("vanishing", "five six")
        let openings = Openings()
        var calls = FileCalls.system
        calls.open = { path in
            let descriptor = FileCalls.system.open(path)
            // After its first opening: the first run reads less than was found, the second less still.
            if String(cString: path) == shrinking.text {
                var facts = stat()
                stat(path, &facts)
                truncate(path, max(0, facts.st_size - 5))
            }
            // Before anything is timed it is opened once: it is in the first run, and not in the second.
            if String(cString: path) == vanishing.text,
                openings.number.add(1, ordering: .relaxed).newValue == 2
            {
                unlink(path)
            }
            return descriptor
        }
        let report = try session(folder, threads: 2, calls: calls).run()
        #expect(report.input.shrunk == [shrinking.text])
        #expect(report.input.changed == [shrinking.text, vanishing.text])
        #expect(report.input.skipped.map(\.reason) == ["vanished"])
        #expect(report.failedChecks == [])
        // Both are in the half that is dropped: what is kept can be compared.
        #expect(report.checksNotMade.count == 1)
        #expect(TextReport.render(report).contains(
            "  not made:  1 thread and 2 threads make the same heap: 2 files changed between the runs"))
        let json = try #require(
            JSONSerialization.jsonObject(with: Data(JSONReport.render(report).utf8)) as? [String: Any])
        let checks = try #require(json["checks"] as? [[String: Any]])
        #expect(checks.map { $0["isPassed"] is NSNull }.count { $0 } == 1)
    }

    @Test func `every file is read once before anything is timed, so both runs find it in the cache`() throws {
        let folder = makeTree(fileCount: 5, seed: 4)
        let openings = Openings()
        var calls = FileCalls.system
        calls.open = { path in
            openings.paths.withLock { $0.append(String(cString: path)) }
            return FileCalls.system.open(path)
        }
        let report = try session(folder, threads: 2, calls: calls).run()
        let found = try FileDiscovery(roots: [folder.path]).files.map(\.path.text)
        let paths = openings.paths.withLock { $0 }
        #expect(Array(paths.prefix(5)) == found)
        // Once more in each run, and those kept once more alone.
        #expect(paths.count == 5 + 5 + 5 + 3)
        #expect(TextReport.render(report).contains("read once before anything was timed"))
    }

    @Test func `what the limit leaves out is not read ahead either`() throws {
        let folder = TemporaryFolder()
        for name in ["a", "b", "c"] { folder.write(name, "0123456789") }
        folder.write("binary", [UInt8](repeating: 0, count: 15))
        let progress = ProgressLine(isShown: false)
        let files = try FileDiscovery(roots: [folder.path]).files
        func read(_ limit: InputLimit?) -> [String] {
            FileWarming(files, limit: limit, calls: .system, progress: progress).files
                .map { String($0.path.text.split(separator: "/").last!) }
        }
        #expect(read(nil) == ["a", "b", "binary", "c"])
        #expect(read(InputLimit(byteCount: 25, nanoseconds: .max)) == ["a", "b"])
        #expect(read(InputLimit(byteCount: 35, nanoseconds: .max)) == ["a", "b", "binary", "c"])
        #expect(read(InputLimit(byteCount: .max, nanoseconds: 0)) == ["a"])
    }

    @Test func `one thread has no speed-up over one thread`() throws {
        let folder = makeTree(fileCount: 3, seed: 5)
        let one = try session(folder, threads: 1).run()
        #expect(one.speedUp == nil)
        #expect(TextReport.render(one).contains("one thread: no speed-up"))
        let json = try JSONReport.render(one)
        #expect(json.contains("\"speedUp\" : null"))
        #expect(try JSONDecoder().decode(IndexReport.self, from: Data(json.utf8)).speedUp == nil)
        #expect(try session(folder, threads: 2).run().speedUp != nil)
    }

    @Test func `a file that grows as fast as it is read ends where it ended when it was found`() throws {
        let folder = makeTree(fileCount: 3, seed: 6)
        // What was found ends in the middle of a character.
        let growing = folder.write("growing", Array("one é".utf8).dropLast())
        let more: [UInt8] = [0xA9, 0x20, 0xC3]
        var calls = FileCalls.system
        calls.read = { descriptor, buffer, count in
            var facts = stat()
            var other = stat()
            if fstat(descriptor, &facts) == 0, stat(growing.text, &other) == 0, facts.st_ino == other.st_ino {
                let end = open(growing.text, O_WRONLY | O_APPEND)
                _ = write(end, more, more.count)
                close(end)
            }
            return FileCalls.system.read(descriptor, buffer, count)
        }
        let report = try session(folder, threads: 2, calls: calls).run()
        #expect(report.input.grown == [growing.text])
        #expect(report.input.changed == [])
        #expect(report.input.skippedCount == 0)
        #expect(report.failedChecks == [])
        #expect(report.checksNotMade == [])
        #expect(TextReport.render(report).contains("grew meanwhile"))
    }

    @Test func `when nothing can be read, what is in the way is named`() {
        let folder = TemporaryFolder()
        let file = folder.write("locked", "word")
        var calls = FileCalls.system
        calls.open = { _ in
            errno = EACCES
            return -1
        }
        calls.openFolder = { _ in
            errno = EACCES
            return nil
        }
        #expect(throws: CommandFailure.noInput(
            "no files under the paths given: 1 entry passed over (\(folder.path.text): unreadable)")
        ) { try session(folder, threads: 1, calls: calls).run() }
        calls.openFolder = FileCalls.system.openFolder
        #expect(throws: CommandFailure.data(
            "no UTF-8 text in 1 file: unreadable 1 (\(file.text): unreadable)")
        ) { try session(folder, threads: 1, calls: calls).run() }
    }

    @Test func `a name never moves the cursor`() throws {
        let folder = TemporaryFolder()
        folder.write("one\ntwo\u{1B}[2J", "word")
        let report = try session(folder, threads: 1).run()
        let text = TextReport.render(report)
        #expect(text.contains(#"/one\ntwo\u{1B}[2J"#))
        #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
        #expect("a\u{7F}\u{9B}é\t".withoutControlCharacters == #"a\u{7F}\u{009B}é\t"#)
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
