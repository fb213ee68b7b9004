@testable import StillpointModel
import Testing

/// Mutants of a small protocol: listed, run, killed.
@Suite struct MutantTests {
    private static let strategy = ExplorationStrategy.depthFirst(preemptions: 2, staleReads: 2)

    /// A message by release and acquire, with a sleeping reader and a recheck.
    private func protocolModel(_ model: Model) {
        let data = model.allocate(Int.self)
        let word = model.allocate(Atomic<UInt32>.self)
        model.thread("writer") {
            ModelMemory.written(at: data, byteCount: 8)
            word.pointee.store(1, ordering: .releasing)
            ModelFutex.wake(word)
        }
        model.thread("reader") {
            while word.pointee.load(ordering: .acquiring) == 0 || modelOmitsRecheck("nothing") {
                if ModelFutex.wait(on: word, while: 0) == .woken, modelOmitsRecheck("word after wake") {
                    break
                }
            }
            ModelMemory.read(at: data, byteCount: 8)
        }
    }

    @Test func `all places of a protocol are listed, with what can be taken away`() {
        let sites = SiteList()
        let report = Exploration(Self.strategy, sites: sites).run("protocol", protocolModel)
        #expect(report.failure == nil && report.isExhausted)
        let words = sites.mutants.map { "\($0.site.operation) \($0.change)" }
        #expect(Set(words) == [
            "store relaxed", "store omitted", "load relaxed", "futexWake omitted", "word after wake recheck",
            "nothing recheck",
        ])
    }

    @Test func `the mutants of a protocol are killed, and each by what it breaks`() {
        let sites = SiteList()
        _ = Exploration(Self.strategy, sites: sites).run("protocol", protocolModel)
        let expected = [
            "store relaxed": "data race", "load relaxed": "data race", "futexWake omitted": "lost wake-up",
            "store omitted": "lost wake-up", "word after wake recheck": "data race",
        ]
        var killed = 0
        for mutant in sites.mutants {
            guard let text = expected["\(mutant.site.operation) \(mutant.change)"] else { continue }
            let report = Exploration(Self.strategy, mutant: mutant).run("protocol", protocolModel)
            #expect(report.failure?.message.contains(text) == true, "\(mutant): \(report)")
            #expect(report.failure?.mutant == mutant)
            killed += 1
        }
        #expect(killed == expected.count)
    }

    @Test func `an update loses half of its ordering, or all`() {
        let changes = MutationSite(
            fileID: "A/B.swift", line: 1, operation: "update", order: .acquireRelease, failureOrder: .relaxed
        ).mutants.map(\.change)
        #expect(changes == [.acquireOnly, .releaseOnly, .relaxed, .omitted])
        let consistent = MutationSite(
            fileID: "A/B.swift", line: 1, operation: "compareExchange", order: .sequentiallyConsistent,
            failureOrder: .acquire
        ).mutants.map(\.change)
        #expect(consistent == [.acquireRelease, .relaxed, .relaxedFailure, .omitted])
    }
}
