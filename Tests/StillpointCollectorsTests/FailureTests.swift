import StillpointMemory
import StillpointObjects
import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Testing

@testable import StillpointCollectors

/// What a collection does when the system refuses it something.
@Suite struct FailureTests {
    @Test(arguments: [false, true])
    func `a collection that cannot begin changes nothing, one that has begun ends`(isLasting: Bool) throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            let wide = try makeWide(in: harness, by: thread)
            var walk = FailureWalk(Set(FailureKind.allCases))
            walk.isLasting = isLasting
            var rescans = 0
            let steps = walk.run(surfacing: { $0 as? CollectionError == .outOfMemory }) {
                let plan = FailurePlan.current!
                plan.endShortage()
                try makeCycle(in: harness, by: thread)
                plan.beginShortage()
                do {
                    let report = try Collector.collect(harness.collector, by: thread)
                    rescans += report.rescanCount
                    #expect(report.objectsKept == wideCount + 1)
                    #expect(report.objectsFreed >= 2)
                } catch {
                    plan.endShortage()
                    #expect(try Collector.collect(harness.collector, by: thread).objectsFreed >= 2)
                    throw error
                }
            }
            // Its stack; growing the stack is done without, by looking once more; so is giving memory back.
            #expect(steps.count(of: .memory, .surfaced) == 1)
            #expect(steps.count(of: .memory, .borne) == 1)
            #expect(rescans > 0)
            wide.end(by: thread)
        }
        harness.end()
    }

    @Test func `a census without memory is an error, and one with a reserve none`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            let leaf = try harness.leaf(1, by: thread)
            var reserve = try CollectionReserve(for: harness.collector)
            // More types than the reserve has rows for, one of them used.
            for number in 0..<100 {
                _ = try harness.runtime.types.add(TypeLayout(name: "late \(number)", payloadByteCount: 8))
            }
            let late = try Allocation.make(typeIndex: UInt32(harness.runtime.types.count), by: thread)
            let held = try Handle<ManagedObject>(adopting: late, by: thread)
            try FailurePlan([.memory], ordinal: 1, isLasting: true).withPlan {
                #expect(throws: CollectionError.outOfMemory) { try harness.collector.census() }
                let census = try harness.collector.census(with: &reserve)
                #expect(census.objectCount == 2)
                #expect(Set(census.types.map(\.name)) == ["Node", "types made since"])
                let report = try Collector.collect(harness.collector, by: thread, with: &reserve)
                #expect(report.objectsKept == 2)
            }
            held.end(by: thread)
            leaf.end(by: thread)
        }
        harness.end()
    }
}

/// More than the mark stack has room for at first.
private let wideCount = 20_000

/// An array of leaves that nothing else refers to.
private func makeWide(in harness: CollectorHarness, by thread: Thread) throws -> Handle<ManagedArray> {
    let array = try Handle<ManagedArray>(adopting: ManagedArray.make(count: wideCount, by: thread), by: thread)
    for index in 0..<wideCount {
        let leaf = try harness.leaf(index, by: thread)
        ManagedArray.store(leaf.object, into: array.object, at: index, by: thread)
        leaf.end(by: thread)
    }
    return array
}

/// Two nodes that refer to each other, and nobody else to them.
private func makeCycle(in harness: CollectorHarness, by thread: Thread) throws {
    let one = try harness.leaf(1, by: thread)
    let other = try harness.leaf(2, by: thread)
    one.store(other, into: \.left, by: thread)
    other.store(one, into: \.left, by: thread)
    one.end(by: thread)
    other.end(by: thread)
}
