import StillpointTestSupport
import Testing

@testable import StillpointMemory

struct VisitingTests {
    @Test(arguments: 0..<8)
    func `a visit sees exactly the live blocks after any history`(round: Int) throws {
        var generator = SplitMix64(seed: newSeed("visit after any history"))
        let test = HeapUnderTest(threadCount: 3, pageReturn: round % 2 == 0 ? .whenStopped : .atOnce)
        let sizes = [32, 48, 80, 1000, 5000, 16 << 10, 32 << 10, 70_000, 900_000, 2_000_000]
        var blocks: [Block] = []
        for step in 0..<6000 {
            let thread = Int(generator.next() % 3)
            switch generator.next() % 100 {
            case 0..<55:
                let small = generator.next() % 50 != 0
                let size = sizes[Int(generator.next() % UInt64(small ? 7 : sizes.count))]
                blocks.append(try test.allocate(size, by: thread))
            case 55..<98:
                guard !blocks.isEmpty else { continue }
                blocks.swapAt(Int(generator.next() % UInt64(blocks.count)), blocks.count - 1)
                let block = blocks.removeLast()
                if generator.next() % 10 == 0 { test.freeStopped(block) } else { test.free(block, by: thread) }
            case 98: ThreadHeap.abandon(test.threads[thread])
            default:
                switch generator.next() % 3 {
                case 0: test.heap.collectCrossThreadFrees()
                case 1: test.heap.purgeStopped()
                default: test.heap.purge(keepingByteCount: 1 << 20)
                }
            }
            if step % 50 == 0 {
                let isRight = test.check()
                #expect(isRight)
                if !isRight { return }
            }
        }
        for block in blocks { block.checkObject() }
        let found = test.visited()
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
        let statistics = test.heap.statistics()
        #expect(statistics.liveBlockCount == blocks.count)
        #expect(statistics.liveBytes == blocks.reduce(0) { $0 + Page.containing($1).pointee.blockByteCount })
        #expect(statistics.pagesInUse + statistics.pagesAbandoned + statistics.pagesEmpty == test.pages().count)
        #expect(statistics.committedBytes <= statistics.reservedBytes)
        for block in blocks { test.freeStopped(block) }
        test.heap.purgeStopped()
        #expect(test.heap.statistics() == HeapStatistics())
    }

    @Test func `a block without a type yet is not visited`() throws {
        let test = HeapUnderTest()
        let block = try test.threads[0].allocate(byteCount: 48)
        let large = try test.threads[0].allocate(byteCount: 100_000)
        #expect(test.visited().isEmpty)
        BlockHeader.of(large).pointee.type.store(1 << 24, ordering: .relaxed)  // a lock bit is no type
        #expect(test.visited().isEmpty)
        BlockHeader.of(block).pointee.type.store(1, ordering: .relaxed)
        #expect(test.visited() == [block])
    }

    @Test func `a visit of pages ends where its body says so`() throws {
        let test = HeapUnderTest()
        for index in 0..<10 { _ = try test.allocate(32 + index * 16) }
        var seen = 0
        let isComplete = test.heap.visitPages { _ in
            seen += 1
            return seen < 3
        }
        #expect(!isComplete)
        #expect(seen == 3)
    }

    @Test func `marks belong to single blocks, and are cleared by page and all at once`() throws {
        let test = HeapUnderTest()
        var blocks: [Block] = []
        for size in [32, 48, 1000, 32 << 10, 100_000, 3_000_000] {
            for _ in 0..<5 { blocks.append(try test.allocate(size)) }
        }
        for (index, block) in blocks.enumerated() where index % 2 == 0 {
            #expect(!MarkBits.testAndSet(block))
            #expect(MarkBits.testAndSet(block))
        }
        for (index, block) in blocks.enumerated() { #expect(MarkBits.isMarked(block) == (index % 2 == 0)) }
        MarkBits.clear(Page.containing(blocks[0]))
        #expect(!MarkBits.isMarked(blocks[0]))
        #expect(MarkBits.isMarked(blocks[6]))
        test.heap.clearMarks()
        for block in blocks { #expect(!MarkBits.isMarked(block)) }
    }

    @Test func `a sweep frees the unmarked blocks of all owners and leaves the marked`() throws {
        let test = HeapUnderTest(threadCount: 2)
        var kept: Set<Block> = []
        for index in 0..<5000 {
            let block = try test.allocate(index % 100 == 0 ? 40_000 : 64 + index % 300, by: index % 2)
            if index % 7 == 0 {
                _ = MarkBits.testAndSet(block)
                kept.insert(block)
            }
        }
        ThreadHeap.abandon(test.threads[1])
        test.heap.visitPages { page in
            page.visitBlocks { block in
                if !MarkBits.isMarked(block) { test.freeStopped(block) }
            }
            return true
        }
        test.heap.collectCrossThreadFrees()
        #expect(test.live == kept)
        #expect(test.check())
        for block in kept { block.checkObject() }
    }
}
