import Foundation
import Testing

/// The example on the front page is code that the tests compile: the parts of READMEExample.swift between
/// `// README begins` and `// README ends`, one after the other, each without its indentation.
@Suite struct READMETests {
    static let compiled = Repository.file("Tests/StillpointTests/READMEExample.swift")

    @Test(.enabled(if: ScratchPackage.example != nil, "the front page has no Swift code"))
    func `the example on the front page is the one that is compiled`() throws {
        let file = try #require(Self.compiled, "Tests/StillpointTests/READMEExample.swift is missing")
        let example = try #require(ScratchPackage.example)
        #expect(Self.markedLines(of: file) == Self.withoutBlankLines(example))
    }

    @Test(
        .enabled(if: ScratchPackage.example != nil, "the front page has no Swift code"),
        .enabled(if: !ScratchPackage.isSanitized, "it runs in a build of its own"))
    func `a package that runs the example builds the library and nothing else`() throws {
        let build = try ScratchPackage.build.get()
        try #require(build.status == 0, "\(build.output)")
        let page = try #require(Repository.file("docs/architecture.md"))
        let library = FloorTable(markdown: page.text).floors
            .filter { $0.number <= 8 }.flatMap(\.modules).filter { $0 != "CURCU" }  // a module map: nothing to build
        #expect(ScratchPackage.builtModules == Set(library + ScratchPackage.probes + ["Example"]))
        let run = try Command.run(ScratchPackage.program.appending(path: "Example").path, [])
        #expect(run.status == 0, "\(run.output)")
    }

    @Test func `marked parts are joined without their indentation`() {
        let file = RepositoryFile(path: "made", text: """
            // README begins
            import Stillpoint
            // README ends
            func test() {
                // README begins
                if a {

                    b()
                }
                // README ends
            }
            """)
        #expect(Self.markedLines(of: file) == ["import Stillpoint", "if a {", "    b()", "}"])
    }

    static func markedLines(of file: RepositoryFile) -> [String] {
        var result: [String] = []
        var indentation: Int?
        for line in file.lines {
            if line.trimmed == "// README begins" {
                indentation = line.prefix { $0 == " " }.count
            } else if line.trimmed == "// README ends" {
                indentation = nil
            } else if let indentation {
                result.append(String(line.dropFirst(min(indentation, line.prefix { $0 == " " }.count))))
            }
        }
        return withoutBlankLines(result[...].map { $0[...] })
    }

    static func withoutBlankLines(_ lines: [Substring]) -> [String] {
        lines.filter { !$0.trimmed.isEmpty }.map(String.init)
    }
}
