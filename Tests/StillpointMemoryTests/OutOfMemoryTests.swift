import CStillpoint
import Glibc
import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointMemory

struct OutOfMemoryTests {
    @Test func `a request that nothing can meet is an error with its size, and harms nothing`() throws {
        let test = HeapUnderTest()
        let block = try test.allocate(48)
        for byteCount in [Int.max, .max - 1, .max / 2, 1 << 60, 1 << 50] {
            #expect(throws: OutOfMemory(requestedByteCount: byteCount)) {
                _ = try test.threads[0].allocate(byteCount: byteCount)
            }
        }
        #expect(test.check())
        test.free(block)
    }

    /// The sanitizers' own address space knows no such limit.
    @Test(.enabled(if: !isInstrumented))
    func `when address space ends every size fails by an error, and what is freed can be had again`() async {
        await #expect(processExitsWith: .success) { try exhaustAddressSpace() }
    }

    @Test(.enabled(if: sp_has_address_sanitizer() != 0))
    func `AddressSanitizer sees a use of a free block beyond its header`() async {
        await #expect(processExitsWith: .failure) {
            let test = HeapUnderTest()
            let block = try test.allocate(48)
            test.free(block)
            precondition(block.load(as: UInt64.self) & 0xFFFF == 0)
            print(block.word(at: 16).pointee)
        }
    }
}

private func exhaustAddressSpace() throws {
    let test = HeapUnderTest(threadCount: 2)
    test.live.reserveCapacity(1 << 20)
    var blocks: [Block] = []
    blocks.reserveCapacity(1 << 20)
    limitAddressSpace(moreByteCount: 64 << 20)
    // Eight megabytes of each, then what is left.
    for share in [8 << 20, .max] {
        for byteCount in [48, 320, 16 << 10, 500_000, 2 << 20] {
            for _ in 0..<(share / byteCount) {
                guard let block = try? test.allocate(byteCount) else { break }
                blocks.append(block)
            }
        }
    }
    precondition(blocks.count > (8 << 20) / 48)
    limitAddressSpace(moreByteCount: nil)
    precondition(test.check())

    // All of it full, a block that another thread has freed is still found.
    limitAddressSpace(moreByteCount: 0)
    let block = blocks.last { Page.containing($0).pointee.blockByteCount == 320 }!
    test.free(block, by: 1)
    precondition((try? test.allocate(320)) == block)
    precondition((try? test.allocate(320)) == nil)
    limitAddressSpace(moreByteCount: nil)
    precondition(test.check())
}

/// Lets this process's address space grow by so many bytes at most; nil: without a limit.
private func limitAddressSpace(moreByteCount: Int?) {
    var limit = rlimit(rlim_cur: .max, rlim_max: .max)
    if let moreByteCount { limit.rlim_cur = rlim_t(addressSpaceInUse() + moreByteCount) }
    precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
}

/// The size of this process's address space in bytes.
private func addressSpaceInUse() -> Int {
    let file = fopen("/proc/self/statm", "r")!
    defer { fclose(file) }
    var pages: CLong = 0
    withUnsafeMutablePointer(to: &pages) { pointer in
        _ = withVaList([pointer]) { vfscanf(file, "%ld", $0) }
    }
    return pages * AddressSpace.pageByteCount
}
