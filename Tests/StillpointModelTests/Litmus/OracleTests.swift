// The memory model against the oracle, over random programs: the same outcomes, and a race in both or in neither.
// STILLPOINT_LITMUS_PROGRAMS says how many programs of each mixture (few by default), STILLPOINT_LITMUS_SEED from which seed.

import Foundation
import Testing

@testable import StillpointModel

struct OracleTests {
    static let mixtures: [(String, LitmusProgram.Mixture)] = [
        ("everything", .init()),
        ("updates", .init(fences: 1, updates: 6)),
        ("one location", .init(operationCount: 4...6, locationCount: 1...1, fences: 1, updates: 4)),
        ("consistent fences", .init(fences: 4, consistent: 7)),
        ("consistent accesses", .init(fences: 1, consistent: 8)),
        ("plain", .init(operationCount: 4...8, locationCount: 1...2, fences: 2, updates: 1, plain: 3, consistent: 1)),
    ]

    private static func number(_ name: String, otherwise: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
    }

    @Test(arguments: mixtures.indices)
    func `the memory model shows what RC11 allows and nothing else`(mixture: Int) {
        let count = Self.number("STILLPOINT_LITMUS_PROGRAMS", otherwise: 40)
        let seed = Self.number("STILLPOINT_LITMUS_SEED", otherwise: UInt64.random(in: 0..<1_000_000_000))
        let (name, contents) = Self.mixtures[mixture]
        print("STILLPOINT_LITMUS_SEED=\(seed) STILLPOINT_LITMUS_PROGRAMS=\(count): \(name)")
        var random = SeededGenerator(state: seed)
        var runCount = 0
        for index in 0..<count {
            let program = LitmusProgram.random(contents, using: &random)
            let oracle = AxiomaticOracle.judge(program)
            let explorer = LitmusExplorer(program)
            explorer.explore()
            runCount += explorer.runCount
            let found = explorer.outcomes
            #expect(!explorer.faults.isEmpty == oracle.hasRace, "program \(index): \(program)")
            guard !oracle.hasRace else { continue }
            #expect(
                found == oracle.outcomes,
                """
                program \(index): \(program)
                shown but not allowed: \(found.subtracting(oracle.outcomes).sorted())
                allowed but not shown: \(oracle.outcomes.subtracting(found).sorted())
                """)
            if found != oracle.outcomes { return }
        }
        print("\(name): \(count) programs, \(runCount) runs")
    }
}
