import Testing

@testable import StillpointMemory

struct LargeBlockTests {
    @Test func `a block beyond the classes has its own page, anywhere up to many segments`() throws {
        let test = HeapUnderTest()
        for byteCount in [
            SizeClass.largestByteCount + 1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 4 << 20, 50 << 20,
        ] {
            let block = try test.allocate(byteCount)
            let page = Page.containing(block)
            #expect(page.isSingle)
            #expect(page.firstBlock == block)
            #expect(page.pointee.blockByteCount >= byteCount)
            #expect(test.check())
            test.free(block)
            #expect(test.check())
        }
        test.heap.purgeStopped()
        #expect(test.heap.reservedBytes == 0)
    }

    @Test func `a freed large block serves one of the same size at once, and others after a stop`() throws {
        let test = HeapUnderTest()
        let block = try test.allocate(100_000)
        test.free(block)
        #expect(try test.allocate(110_000) == block)
        test.free(block)
        #expect(try test.allocate(300_000) != block)
        test.heap.collectCrossThreadFrees()
        #expect(test.check())
        #expect(try test.allocate(64 << 10) == block)
        #expect(test.check())
    }

    @Test func `large blocks fill a segment to its last slice before another is mapped`() throws {
        let test = HeapUnderTest()
        for _ in 0..<3 { _ = try test.allocate(1 << 20) }
        #expect(test.heap.reservedBytes == SegmentLayout.byteCount)
        for _ in 0..<15 { _ = try test.allocate(64 << 10) }
        #expect(test.heap.reservedBytes == SegmentLayout.byteCount)
        _ = try test.allocate(64 << 10)
        #expect(test.heap.reservedBytes == 2 * SegmentLayout.byteCount)
        #expect(test.check())
    }

    @Test func `a huge block freed by another thread is unmapped at once where no reader can be late`() throws {
        let test = HeapUnderTest(threadCount: 2, pageReturn: .atOnce)
        let block = try test.allocate(10 << 20)
        #expect(test.heap.reservedBytes > 10 << 20)
        test.free(block, by: 1)
        #expect(test.heap.reservedBytes == 0)
        #expect(test.check())
    }
}
