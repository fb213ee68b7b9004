import Glibc
import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointMemory

@Suite(.serialized)
struct ReturnTests {
    /// In a process of its own: what other tests keep resident meanwhile is not this heap's. The sanitizers keep shadow
    /// memory of their own resident.
    @Test(.enabled(if: !isInstrumented), arguments: [64, 5000, 300_000, 3_000_000])
    func `resident memory falls when 200 MB have been freed`(byteCount: Int) async throws {
        await #expect(processExitsWith: .success) { [byteCount] in
            let total = 200 << 20
            let before = residentByteCount()
            let test = HeapUnderTest()
            var blocks: [Block] = []
            blocks.reserveCapacity(total / byteCount)
            for _ in 0..<(total / byteCount) {
                let block = try test.threads[0].allocateObject(byteCount)
                memset(block + 16, 1, byteCount - 16)
                blocks.append(block)
            }
            let full = residentByteCount()
            #expect(full - before > total * 9 / 10)
            for block in blocks { ThreadHeap.free(block, by: test.threads[0]) }
            blocks = []
            test.heap.purgeStopped()
            #expect(test.heap.reservedBytes == 0)
            #expect(residentByteCount() - before < total * 3 / 10)
        }
    }

    @Test func `memory goes back while the program runs where no reader can be late`() throws {
        let test = HeapUnderTest(pageReturn: .atOnce)
        let blocks = try (0..<100_000).map { _ in try test.allocate(512) }
        let peak = test.heap.statistics().committedBytes
        for block in blocks { test.free(block) }
        #expect(test.check())
        let after = test.heap.statistics().committedBytes
        #expect(peak > 48 << 20)
        #expect(after <= 3 * SegmentLayout.byteCount)
    }

    @Test func `until a stop an empty page keeps its block size and its headers`() throws {
        let test = HeapUnderTest()
        let blocks = try (0..<3000).map { _ in try test.allocate(48) }
        for block in blocks { test.free(block) }
        test.heap.purge()
        for _ in 0..<1000 { _ = try test.allocate(64) }
        for block in blocks {
            #expect(Page.containing(block).pointee.blockByteCount == 48)
            #expect(BlockHeader.of(block).pointee.shared.load(ordering: .relaxed) == BlockHeader.freeShared)
            #expect(!BlockHeader.isLive(block))
        }
        test.heap.purgeStopped()
        #expect(test.pages().allSatisfy { $0.pointee.blockByteCount == 64 })
        #expect(test.check())
    }

    @Test func `purging some keeps so much for the next pages`() throws {
        let test = HeapUnderTest()
        let blocks = try (0..<3000).map { _ in try test.allocate(16 << 10) }
        for (index, block) in blocks.enumerated() where index % 100 != 0 { test.free(block) }
        test.heap.collectCrossThreadFrees()
        let free = test.heap.statistics().committedBytes
        test.heap.purge(keepingByteCount: 8 << 20)
        let some = test.heap.statistics().committedBytes
        test.heap.purge()
        let all = test.heap.statistics().committedBytes
        #expect(free > some && some > all)
        #expect(some - all <= 8 << 20)
        #expect(test.check())
    }

    @Test func `allocation is counted for a trigger, about as much as there was`() throws {
        let test = HeapUnderTest()
        for _ in 0..<10_000 { test.free(try test.allocate(1000)) }
        let counted = test.heap.allocatedBytesSinceLastCollection
        #expect(abs(counted - 10_000 * 1024) <= 3 * 65_536)
        test.heap.noteCollection()
        #expect(test.heap.allocatedBytesSinceLastCollection == 0)
        _ = try test.allocate(1 << 20)
        #expect(test.heap.allocatedBytesSinceLastCollection >= 1 << 20)
    }
}

/// Resident memory of this process in bytes.
private func residentByteCount() -> Int {
    let file = fopen("/proc/self/statm", "r")!
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    fgets(&line, 256, file)
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return Int(text.split(separator: " ")[1])! * AddressSpace.pageByteCount
}
