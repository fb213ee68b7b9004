// The litmus table, on the memory model and on the oracle.
// STILLPOINT_LITMUS_TABLE names a file that the table is written to, as Markdown.

import Foundation
import Testing

@testable import StillpointModel

struct LitmusTests {
    @Test(arguments: LitmusTest.table)
    func `a litmus test has the outcomes that RC11 allows and no others`(test: LitmusTest) {
        let explorer = LitmusExplorer(test.program)
        explorer.explore()
        let outcomes = explorer.outcomes
        let oracle = AxiomaticOracle.judge(test.program)
        let words = Set(outcomes.map(\.description))
        if test.isWhole {
            #expect(words == test.found, "\(words.sorted())")
        } else {
            #expect(words.isSuperset(of: test.found), "\(words.sorted())")
        }
        #expect(words.isDisjoint(with: test.forbidden))
        #expect(oracle.outcomes == outcomes)
        #expect(oracle.runCount == explorer.runCount, "one run for each graph and each order in which it can be made")
        let reduced = LitmusExplorer(test.program, isReduced: true)
        reduced.explore()
        #expect(reduced.outcomes == outcomes)
    }

    @Test func `no two rows of the litmus table have one name`() {
        #expect(Set(LitmusTest.table.map(\.testDescription)).count == LitmusTest.table.count)
    }

    @Test func `the litmus table is written when asked for`() throws {
        guard let path = ProcessInfo.processInfo.environment["STILLPOINT_LITMUS_TABLE"] else { return }
        var text = "| test | orderings | found | forbidden | why |\n|---|---|---|---|---|\n"
        for test in LitmusTest.table {
            let outcomes = LitmusExplorer.outcomes(of: test.program).sorted().map(\.description)
            let found = outcomes.count > 8 ? "\(outcomes.count) outcomes" : Self.words(outcomes)
            text += "| \(test.name) | \(test.variant) | \(found) | \(Self.words(test.forbidden)) | \(test.reason) |\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// A bar would end the cell.
    private static func words(_ outcomes: [String]) -> String {
        outcomes.map { "`" + $0.replacing("|", with: "/") + "`" }.joined(separator: " ")
    }
}
