// The memory model against the oracle, over random programs: the same execution graphs, and a race in both or in
// neither. STILLPOINT_LITMUS_PROGRAMS says how many programs of each kind (few by default), STILLPOINT_LITMUS_SEED
// from which seed.
//
// All graphs must be found by a reduced exploration. Where there are not too many runs, all are made besides: there
// must be one for each graph and each order in which its operations can be made. So no order of the threads takes a
// choice away.

import Foundation
import Testing

@testable import StillpointModel

struct OracleTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var make: @Sendable (inout SeededGenerator) -> LitmusProgram
    }

    static let kinds: [Kind] = [
        Kind(testDescription: "cycles") { LitmusProgram.randomCycle(using: &$0) },
        kind("everything", .init()),
        kind("updates", .init(operationCount: 4...6, fences: 1, updates: 6)),
        kind("one location", .init(operationCount: 3...5, locationCount: 1...1, fences: 1, updates: 4)),
        kind("consistent fences", .init(fences: 4, consistent: 7)),
        kind("consistent accesses", .init(fences: 1, consistent: 8)),
        kind(
            "four threads",
            .init(operationCount: 6...8, locationCount: 2...3, threadCount: 3...4, fences: 3, consistent: 7)),
        kind(
            "plain",
            .init(operationCount: 4...8, locationCount: 1...2, fences: 2, updates: 1, plain: 3, consistent: 1)),
    ]

    /// A program with more of them is explored reduced only.
    private static let mostRuns = 20_000

    private static func kind(_ name: String, _ mixture: LitmusProgram.Mixture) -> Kind {
        Kind(testDescription: name) { LitmusProgram.random(mixture, using: &$0) }
    }

    private static func number(_ name: String, otherwise: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
    }

    /// At once, so that the seed is known whatever comes.
    private func say(_ words: String) { FileHandle.standardOutput.write(Data((words + "\n").utf8)) }

    @Test(arguments: kinds)
    func `the memory model shows what RC11 allows and nothing else`(kind: Kind) {
        let count = Self.number("STILLPOINT_LITMUS_PROGRAMS", otherwise: 15)
        let seed = Self.number("STILLPOINT_LITMUS_SEED", otherwise: UInt64.random(in: 0..<1_000_000_000))
        say("STILLPOINT_LITMUS_SEED=\(seed) STILLPOINT_LITMUS_PROGRAMS=\(count): \(kind.testDescription)")
        var random = SeededGenerator(state: seed)
        var runCount = 0
        var graphCount = 0
        for index in 0..<count {
            let program = kind.make(&random)
            let oracle = AxiomaticOracle.judge(program)
            let explorer = LitmusExplorer(program, isReduced: true)
            explorer.explore()
            runCount += explorer.runCount
            graphCount += oracle.graphCount
            #expect(!explorer.faults.isEmpty == oracle.hasRace, "program \(index): \(program)")
            guard !oracle.hasRace else { continue }
            let found = explorer.outcomes
            #expect(
                found == oracle.outcomes,
                """
                program \(index): \(program)
                shown but not allowed: \(found.subtracting(oracle.outcomes).sorted())
                allowed but not shown: \(oracle.outcomes.subtracting(found).sorted())
                """)
            if found != oracle.outcomes { return }
            guard oracle.runCount <= Self.mostRuns else { continue }
            let whole = LitmusExplorer(program)
            whole.explore()
            #expect(whole.runCount == oracle.runCount, "program \(index): \(program)")
            runCount += whole.runCount
            if whole.runCount != oracle.runCount { return }
        }
        say("\(kind.testDescription): \(count) programs, \(runCount) runs, \(graphCount) graphs")
    }
}
