import StillpointTestSupport
import Testing
import Synchronization

@testable import StillpointMemory

struct AbandonmentTests {
    @Test func `what a heap leaves behind is found, freed by others, and adopted for its class alone`() throws {
        let test = HeapUnderTest(threadCount: 2)
        let blocks = try (0..<3000).map { _ in try test.allocate(48) }
        ThreadHeap.abandon(test.threads[0])
        #expect(test.check())
        for block in blocks where UInt(bitPattern: block) % 96 == 0 { test.free(block, by: 1) }
        #expect(test.check())
        let pageCount = test.pages().count
        _ = try test.allocate(64, by: 1)
        #expect(test.pages().count == pageCount + 1)
        for _ in 0..<1000 { _ = try test.allocate(48, by: 1) }
        #expect(test.pages().count == pageCount + 1)
        #expect(test.check())
    }

    @Test func `abandoned pages that were freed whole go back at a stop, without an owner`() throws {
        let test = HeapUnderTest(threadCount: 2)
        let blocks = try (0..<3000).map { _ in try test.allocate(48) }
        ThreadHeap.abandon(test.threads[0])
        for block in blocks { test.free(block, by: 1) }
        test.heap.collectCrossThreadFrees()
        #expect(test.pages().isEmpty)
        #expect(test.check())
    }

    @Test func `a heap whose blocks are all free leaves nothing behind`() throws {
        let test = HeapUnderTest(pageReturn: .atOnce)
        let blocks = try (0..<3000).map { try test.allocate(32 + $0) }
        for block in blocks { test.free(block) }
        ThreadHeap.abandon(test.threads[0])
        #expect(test.pages().isEmpty)
        #expect(test.check())
    }

    @Test func `heaps that come and go with survivors reuse one another's pages`() throws {
        let test = HeapUnderTest(threadCount: 1)
        var survivors: [Block] = []
        var pageCounts: [Int] = []
        for _ in 0..<30 {
            for _ in 0..<100 {
                let blocks = try (0..<10).map { _ in try test.allocate(256) }
                for block in blocks.dropLast() { test.free(block) }
                survivors.append(blocks.last!)
            }
            ThreadHeap.abandon(test.threads[0])
            #expect(test.check())
            for block in survivors { test.free(block) }
            survivors.removeAll()
            pageCounts.append(test.pages().count)
        }
        #expect(pageCounts.max()! <= 2 * pageCounts.first!)
    }

    @Test func `threads that free into pages while they are abandoned and adopted lose nothing`() {
        let seed = newSeed("abandon and adopt")
        let test = SendableHeap(heap: HeapUnderTest(threadCount: 4))
        let queue = BlockQueue()
        runThreads(4) { index in
            var generator = SplitMix64(seed: seed &+ UInt64(index))
            let heap = test.heap.threads[index]
            for round in 0..<60 {
                for _ in 0..<150 {
                    let size = [48, 4 << 10, 32 << 10].randomElement(using: &generator)!
                    guard let block = try? heap.allocateObject(size) else { preconditionFailure() }
                    queue.push(block)
                }
                for _ in 0..<(round % 3 == 0 ? 100 : 160) {
                    guard let block = queue.popRandom(&generator) else { continue }
                    block.checkObject()
                    ThreadHeap.free(block, by: heap)
                }
                ThreadHeap.abandon(heap)
            }
        }
        var generator = SplitMix64(seed: seed)
        while let block = queue.popRandom(&generator) { test.heap.live.insert(block) }
        #expect(test.heap.check())
    }
}
