import Glibc
import StillpointTestSupport
import Testing
import Synchronization

@testable import StillpointMemory

struct CrossThreadTests {
    @Test func `blocks freed by another are used again by their owner`() throws {
        let test = HeapUnderTest(threadCount: 2)
        for _ in 0..<50 {
            let blocks = try (0..<1000).map { _ in try test.allocate(64) }
            for block in blocks { test.free(block, by: 1) }
        }
        #expect(test.check())
        #expect(test.pages().count <= 3)
    }

    @Test func `a sleeping owner's pages are emptied and given back at a stop`() throws {
        let test = HeapUnderTest(threadCount: 2)
        let blocks = try (0..<20_000).map { _ in try test.allocate(64) }
        for block in blocks { test.free(block, by: 1) }
        #expect(test.pages().count == 20)
        test.heap.collectCrossThreadFrees()
        #expect(test.check())
        #expect(test.pages().count == 2)  // the current one, and the one that is kept
        test.heap.purgeStopped()
        #expect(test.pages().isEmpty)
        #expect(test.heap.statistics() == HeapStatistics())
    }

    @Test func `a full page that others freed from serves its owner again after a stop`() throws {
        let test = HeapUnderTest(threadCount: 2)
        let blocks = try (0..<8).map { _ in try test.allocate(16 << 10) }
        test.free(blocks[1], by: 1)
        test.heap.collectCrossThreadFrees()
        #expect(test.check())
        #expect(try test.allocate(16 << 10) == blocks[1])
    }

    /// Blocks go one way through slots, and come back through the heap alone: its own edge must order the last use by
    /// the thread that frees before the next by the owner. ThreadSanitizer tells if it does not.
    @Test func `a block that another thread freed is the owner's after that thread's last use`() {
        let count = 50_000
        let test = SendableHeap(heap: HeapUnderTest(threadCount: 2))
        let slots = SlotRow(count: count)
        runThreads(2) { index in
            let heap = test.heap.threads[index]
            for turn in 0..<count {
                if index == 0 {
                    guard let block = try? heap.allocateObject(4096) else { preconditionFailure() }
                    slots.put(block, at: turn)
                } else {
                    let block = slots.take(at: turn)
                    block.checkObject()
                    ThreadHeap.free(block, by: heap)
                }
            }
        }
        #expect(test.heap.check())
        #expect(test.heap.pages().count < 100)
    }

    /// Each thread allocates, frees its own, hands blocks over, and frees what others handed over.
    @Test(arguments: [2, 3, 4])
    func `threads free one another's blocks of all sizes, and nothing is lost`(threadCount: Int) {
        let seed = newSeed("free one another's blocks")
        let test = SendableHeap(heap: HeapUnderTest(threadCount: threadCount))
        let queue = BlockQueue()
        runThreads(threadCount) { index in
            var generator = SplitMix64(seed: seed &+ UInt64(index))
            let heap = test.heap.threads[index]
            for _ in 0..<20_000 {
                switch generator.next() % 8 {
                case 0...3:
                    let size = [32, 48, 700, 16 << 10, 32 << 10].randomElement(using: &generator)!
                    guard let block = try? heap.allocateObject(size) else { preconditionFailure() }
                    queue.push(block)
                case 4 where generator.next() % 64 == 0:
                    guard let block = try? heap.allocateObject(100_000) else { preconditionFailure() }
                    queue.push(block)
                default:
                    guard let block = queue.popRandom(&generator) else { continue }
                    block.checkObject()
                    ThreadHeap.free(block, by: heap)
                }
            }
        }
        var generator = SplitMix64(seed: seed)
        while let block = queue.popRandom(&generator) { test.heap.live.insert(block) }
        #expect(test.heap.check())
        for block in test.heap.live { test.heap.free(block) }
        test.heap.heap.purgeStopped()
        #expect(test.heap.pages().isEmpty)
        #expect(test.heap.check())
    }
}

/// Blocks from one thread to another: only the giver's writes are ordered before the taker's reads.
private final class SlotRow: Sendable {
    private let slots: [Slot]
    private let takenCount = Atomic(0)

    private final class Slot: Sendable { let block = Atomic<UInt>(0) }

    init(count: Int) { slots = (0..<count).map { _ in Slot() } }

    func put(_ block: Block, at index: Int) {
        // relaxed, on purpose: the giver learns nothing from the taker but how far it is.
        while index - takenCount.load(ordering: .relaxed) > 100 { sched_yield() }
        slots[index].block.store(UInt(bitPattern: block), ordering: .releasing)
    }

    func take(at index: Int) -> Block {
        while true {
            if let block = Block(bitPattern: slots[index].block.load(ordering: .acquiring)) {
                takenCount.store(index, ordering: .relaxed)
                return block
            }
            sched_yield()
        }
    }
}
