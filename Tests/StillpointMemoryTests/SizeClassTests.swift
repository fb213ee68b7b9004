import Testing

@testable import StillpointMemory

struct SizeClassTests {
    @Test func `every size up to the largest gets the smallest class that holds it`() {
        for byteCount in 0...SizeClass.largestByteCount {
            let sizeClass = SizeClass(for: byteCount)
            #expect(sizeClass.blockByteCount >= byteCount)
            if sizeClass.index > 0 {
                #expect(SizeClass(index: sizeClass.index - 1).blockByteCount < byteCount)
            }
        }
    }

    @Test func `no size wastes a fifth of its block beyond 128 bytes, nor 16 bytes below`() {
        for byteCount in 17...SizeClass.largestByteCount {
            let block = SizeClass(for: byteCount).blockByteCount
            let waste = block - byteCount
            #expect(byteCount <= 128 ? waste < 16 : waste * 5 < block)
        }
    }

    @Test func `classes ascend, are whole granules, and end at the largest size`() {
        let sizes = (0..<SizeClass.count).map { SizeClass(index: $0).blockByteCount }
        #expect(sizes.first == 32)
        #expect(sizes.last == SizeClass.largestByteCount)
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 < $1 })
        #expect(sizes.allSatisfy { $0 % 16 == 0 })
        #expect(sizes.prefix(12) == [32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320])
    }
}
