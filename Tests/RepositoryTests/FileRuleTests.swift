import Foundation
import Testing

/// Rules about files that hold everywhere. What is forbidden is spelled in two halves here, so that this file keeps the rules.
@Suite struct FileRuleTests {
    @Test func `a source file has at most 400 lines`() {
        for file in Repository.sources {
            let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
            #expect(count <= 400, "\(file.path)")
        }
    }

    @Test func `a file is named for a concept`() {
        let names: Set = ["Utilities", "Utils", "Util", "Helpers", "Helper", "Common", "Misc"]
        for file in Repository.files() {
            let words = file.name.split { ".+-_".contains($0) }.dropLast().map(String.init)
            #expect(names.isDisjoint(with: words), "\(file.path)")
        }
    }

    @Test func `nothing is left to do`() {
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in Repository.files() {
            #expect(lines(of: file, with: words).isEmpty, "\(file.path)")
        }
    }

    @Test func `no sanitizer is suppressed or turned off`() {
        let words = [
            "no_" + "sanitize", "disable_" + "sanitizer", "suppress" + "ions=", "called_from_" + "lib:",
            " race" + ":", "\"race" + ":", "race_" + "top:", "report_" + "bugs=0", "halt_on_" + "error=0:exit", "exit" + "code=0",
        ]
        for file in Repository.files() where !file.path.hasSuffix(".md") {
            #expect(lines(of: file, with: words).isEmpty, "\(file.path)")
            #expect(!file.name.lowercased().contains("suppr" + "ess") && !file.name.hasSuffix(".supp"))
        }
    }

    @Test func `the core has no fence that ThreadSanitizer does not model`() {
        let words = ["atomicMemory" + "Fence", "atomic_thread_" + "fence"]
        for file in Repository.sources {
            #expect(lines(of: file, with: words).isEmpty, "\(file.path)")
        }
    }

    @Test func `the manifest has no flags that a dependent would have to trust`() throws {
        let manifest = try #require(Repository.file("Package.swift"))
        #expect(lines(of: manifest, with: ["unsafe" + "Flags"]).isEmpty)
    }

    @Test func `scripts can be run, parse, and stop at the first failure`() throws {
        let scripts = Repository.files(under: "script") + Repository.files(under: ".ci")
        #expect(scripts.count > 5)
        for script in scripts {
            let path = Repository.url(script.path).path
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(script.path)")
            #expect(script.text.hasPrefix("#!/usr/bin/env bash\n"), "\(script.path)")
            #expect(try Command.run("bash", ["-n", path]).status == 0, "\(script.path)")
            if script.lines.count > 10 {
                #expect(script.text.contains("\nset -euo pipefail\n"), "\(script.path)")
            }
        }
    }

    private func lines(of file: RepositoryFile, with words: [String]) -> [Substring] {
        file.lines.filter { line in words.contains { line.contains($0) } }
    }
}
