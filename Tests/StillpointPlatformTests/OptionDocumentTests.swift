import Foundation
import Testing

@testable import StillpointPlatform

/// The table in docs/options.md and the rows of `EnvironmentOptions` are the same.
@Suite struct OptionDocumentTests {
    private static let document = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/options.md")

    @Test func `docs options lists every option as the help text does, in its order`() throws {
        let text = try String(contentsOf: Self.document, encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(rows == EnvironmentOptions.rows.map { row in
            ["`\(row.name)`", row.help, row.kind.expectation, row.defaultText]
        })
    }
}
