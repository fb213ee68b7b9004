import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointMemory

/// What a heap does when the system refuses it something.
@Suite struct FailureTests {
    @Test(arguments: [PageReturn.whenStopped, .atOnce], [false, true])
    func `a heap that is refused memory says so, stays whole, and goes on when there is some`(
        pageReturn: PageReturn, isLasting: Bool
    ) {
        var walk = FailureWalk([.memory, .reservation, .commitment, .unmapping, .advice])
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: { $0 is OutOfMemory }) {
            let test = HeapUnderTest(threadCount: 2, pageReturn: pageReturn)
            do {
                try use(test)
                #expect(test.check())
            } catch {
                #expect(test.check())
                FailurePlan.current?.endShortage()
                try use(test)
                #expect(test.check())
                throw error
            }
        }
        #expect(steps.count(of: .reservation, .surfaced) >= 2)
        #expect(steps.count(of: .commitment, .surfaced) >= 3)
        // An address range that cannot be cut to its alignment is none; the end of a range is borne.
        #expect(steps.count(of: .unmapping, .borne) > 0)
        if !isLasting {
            #expect(steps.count(of: .advice, .borne) > 0)
            #expect(steps.count(of: .advice, .surfaced) == 0)
        }
    }
}

/// Blocks of each kind by two threads, half of them freed by the other one, memory given back, and blocks again.
private func use(_ test: HeapUnderTest) throws {
    var blocks: [Block] = []
    defer { for block in blocks { test.free(block, by: 1) } }
    for _ in 0..<2 {
        for (byteCount, count) in [(48, 3000), (20_000, 20), (500_000, 14), (9 << 20, 2)] {
            for index in 0..<count { blocks.append(try test.allocate(byteCount, by: index % 2)) }
        }
        for _ in 0..<(blocks.count / 2) { test.free(blocks.removeLast(), by: 0) }
        test.heap.purge()
        test.heap.purgeStopped()
    }
}
