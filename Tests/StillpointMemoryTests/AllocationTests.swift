import Testing

@testable import StillpointMemory

struct AllocationTests {
    @Test func `the record of a page is two cache lines, the owner's first`() {
        #expect(MemoryLayout<Page>.size == Page.recordByteCount)
        #expect(MemoryLayout<Segment>.size <= Page.recordByteCount)
        #expect(MemoryLayout<BlockHeader>.size == BlockHeader.byteCount)
        let page = UnsafeMutablePointer<Page>.allocate(capacity: 1)
        page.initialize(to: Page(of: SizeClass(for: 48)))
        page.pointee.owner.store(0xABCD, ordering: .relaxed)
        page.pointee.freeList = Block(bitPattern: 0x1230)
        let raw = UnsafeRawPointer(page)
        #expect(raw.load(fromByteOffset: 64, as: UInt.self) == 0xABCD)
        #expect(raw.load(as: UInt.self) == 0x1230)
        page.deinitialize(count: 1)
        page.deallocate()
    }

    @Test func `the absent page stands where it is looked for, and is exhausted`() {
        let test = HeapUnderTest()
        let page = test.heap.absentPage
        #expect(page.pointee.noticeAt == Notice.never)
        #expect(page.pointee.classIndex == SizeClass.count)
        #expect(page.pointee.blockByteCount == 0)
        #expect(page.pointee.freeList == nil)
        #expect(!page.hasSpace)
    }

    @Test func `blocks of every class are distinct, aligned, inside their page, and found from there`() throws {
        let test = HeapUnderTest()
        for index in 0..<SizeClass.count {
            let size = SizeClass(index: index).blockByteCount
            let perPage = SegmentLayout.sliceByteCount / size
            for _ in 0...(perPage + perPage / 2) {
                let block = try test.allocate(size)
                let page = Page.containing(block)
                #expect(page.pointee.blockByteCount == size)
                #expect(UInt(bitPattern: block) % 16 == 0)
                #expect(block >= page.firstBlock)
                #expect(block + size <= page.firstBlock + SegmentLayout.sliceByteCount)
            }
        }
        #expect(test.check())
        for block in test.live { block.checkObject() }
        for block in test.live { test.free(block) }
        #expect(test.check())
    }

    /// Every order of freeing the blocks of two pages of two and four blocks, each block by its owner or by another.
    @Test(arguments: [32 << 10, 16 << 10])
    func `every order of frees by owner and others leaves the page usable`(byteCount: Int) throws {
        let blocksPerPage = SegmentLayout.sliceByteCount / byteCount
        for order in permutations(of: blocksPerPage) {
            for freers in 0..<(1 << blocksPerPage) {
                let test = HeapUnderTest(threadCount: 2)
                // The page of the first blocks is full when they are freed; one more block makes another current.
                let blocks = try (0..<blocksPerPage).map { _ in try test.allocate(byteCount) }
                let other = try test.allocate(byteCount)
                #expect(Page.containing(other) != Page.containing(blocks[0]))
                for index in order {
                    test.free(blocks[index], by: freers >> index & 1)
                    #expect(test.check())
                }
                // Until the next segment nothing may be needed for as many blocks as were freed.
                let again = try (0..<(2 * blocksPerPage - 1)).map { _ in try test.allocate(byteCount) }
                #expect(Set(again.map { Page.containing($0) }).count <= 2)
                #expect(test.check())
                for block in again { test.free(block) }
                test.free(other)
                #expect(test.check())
                test.heap.purgeStopped()
                #expect(test.pages().isEmpty)
                #expect(test.check())
            }
        }
    }

    /// Every sequence of eight steps, each an allocation, or a free of the oldest or of the youngest block.
    @Test(arguments: [48, 32 << 10, 40_000])
    func `every short sequence of allocations and frees keeps the invariants`(byteCount: Int) throws {
        for sequence in 0..<6561 {
            let test = HeapUnderTest()
            var blocks: [Block] = []
            var steps = sequence
            for _ in 0..<8 {
                switch steps % 3 {
                case 0: blocks.append(try test.allocate(byteCount))
                case 1: if !blocks.isEmpty { test.free(blocks.removeFirst()) }
                default: if !blocks.isEmpty { test.free(blocks.removeLast()) }
                }
                steps /= 3
            }
            guard test.check() else {
                Issue.record("sequence \(sequence)")
                return
            }
        }
    }

    @Test func `an empty page is handed out in address order again`() throws {
        let test = HeapUnderTest()
        let perPage = SegmentLayout.sliceByteCount / 48
        let blocks = try (0..<(2 * perPage)).map { _ in try test.allocate(48) }
        for block in blocks.shuffled() { test.free(block) }
        _ = try (0..<perPage).map { _ in try test.allocate(48) }  // the current page's own, in any order
        let again = try (0..<perPage).map { _ in try test.allocate(48) }
        #expect(zip(again, again.dropFirst()).allSatisfy { $0 + 48 == $1 })
    }

    @Test func `a heap keeps one empty page a class and lets the others go`() throws {
        let test = HeapUnderTest(pageReturn: .atOnce)
        let blocks = try (0..<40).map { _ in try test.allocate(16 << 10) }
        #expect(test.pages().count == 10)
        for block in blocks { test.free(block) }
        #expect(test.pages().count == 2)  // the current one, and the one that is kept
        #expect(test.check())
    }

    private func permutations(of count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return permutations(of: count - 1).flatMap { shorter in
            (0...shorter.count).map { place in
                var longer = shorter
                longer.insert(count - 1, at: place)
                return longer
            }
        }
    }
}
