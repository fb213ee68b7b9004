import Foundation
import Testing

@Suite struct READMETests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let readme = root.appending(path: "README.md")

    @Test(.enabled(if: FileManager.default.fileExists(atPath: readme.path)))
    func `the README quotes the example that these tests compile`() throws {
        let source = try String(
            contentsOf: Self.root.appending(path: "Tests/StillpointTests/READMEExample.swift"), encoding: .utf8)
        let begin = try #require(source.range(of: "// README begins\n"))
        let end = try #require(source.range(of: "// README ends"))
        let example = source[begin.upperBound..<end.lowerBound]
        let readme = try String(contentsOf: Self.readme, encoding: .utf8)
        #expect(readme.contains("```swift\n" + example + "```"))
    }
}
