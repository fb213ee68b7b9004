import Glibc
import Testing

@testable import StillpointPlatform

@Suite struct PlatformErrorTests {
    @Test func `an error names its call and the system's words`() {
        let error = PlatformError(call: "mmap", errorNumber: ENOMEM)
        #expect(error.description == "mmap: Cannot allocate memory (error 12)")
        #expect("\(PlatformError(call: "x", errorNumber: 9999))".contains("9999"))
    }

    @Test func `errors are equal when call and number are`() {
        let error = PlatformError(call: "mmap", errorNumber: ENOMEM)
        #expect(error == PlatformError(call: "mmap", errorNumber: ENOMEM))
        #expect(error != PlatformError(call: "mmap", errorNumber: EINVAL))
        #expect(error != PlatformError(call: "mmaq", errorNumber: ENOMEM))
        #expect(error != PlatformError(call: "mmap2", errorNumber: ENOMEM))
    }
}

@Suite struct RawMemoryTests {
    @Test func `every size and alignment gives aligned zeros that can be written`() throws {
        for shift in 0...16 {
            for byteCount in [0, 1, 15, 16, 17, 4096, 70_000] {
                let block = try RawMemory.allocate(byteCount: byteCount, alignment: 1 << shift)
                #expect(UInt(bitPattern: block) % (1 << UInt(shift)) == 0)
                let bytes = UnsafeMutableRawBufferPointer(start: block, count: byteCount)
                #expect(bytes.allSatisfy { $0 == 0 })
                memset(block, 0xA5, byteCount)
                RawMemory.free(block)
            }
        }
    }

    @Test func `nothing is freed for nil`() {
        RawMemory.free(nil)
    }

    @Test(arguments: [(-1, 16), (Int.min, 16), (16, 0), (16, -16), (16, 3), (16, 24)])
    func `what is no size or no alignment is refused`(byteCount: Int, alignment: Int) {
        #expect(throws: PlatformError(call: "malloc", errorNumber: EINVAL)) {
            _ = try RawMemory.allocate(byteCount: byteCount, alignment: alignment)
        }
    }

    @Test(arguments: [(Int.max, 16), (Int.max, 4096), (16, 1 << 62)])
    func `more than there can be is an error`(byteCount: Int, alignment: Int) {
        #expect(throws: PlatformError(call: "malloc", errorNumber: ENOMEM)) {
            _ = try RawMemory.allocate(byteCount: byteCount, alignment: alignment)
        }
    }
}

@Suite struct AddressSpaceTests {
    static let page = AddressSpace.pageByteCount

    @Test func `a page is a power of two`() {
        #expect(Self.page >= 4096 && Self.page.nonzeroBitCount == 1)
    }

    @Test func `a reservation lies at every alignment asked for`() throws {
        for shift in [0, 4, 12, 13, 16, 21, 22, 30, 36] {
            for byteCount in [1, Self.page, Self.page + 1, 5 << 20] {
                let start = try AddressSpace.reserve(byteCount: byteCount, alignment: 1 << shift)
                #expect(UInt(bitPattern: start) % (1 << UInt(max(shift, 12))) == 0)
                AddressSpace.release(start, byteCount: byteCount)
            }
        }
    }

    @Test func `a reservation of 64 GiB takes no memory`() throws {
        let before = try ProcessMemory.residentByteCount()
        let start = try AddressSpace.reserve(byteCount: 64 << 30, alignment: 4 << 20)
        #expect(try ProcessMemory.residentByteCount() < before + (256 << 20))
        AddressSpace.release(start, byteCount: 64 << 30)
    }

    @Test func `what is trimmed off and what is released can be mapped again`() throws {
        // 3,000 reservations of 2 TiB of slack each would not fit side by side.
        for _ in 0..<3000 {
            let start = try AddressSpace.reserve(byteCount: Self.page, alignment: 1 << 41)
            AddressSpace.release(start, byteCount: Self.page)
        }
    }

    @Test func `committed memory reads zero, keeps what is written, and keeps it when committed again`() throws {
        let (start, words) = try Reservation.make(pageCount: 4)
        defer { AddressSpace.release(start, byteCount: 4 * Self.page) }
        try AddressSpace.commit(start, byteCount: 4 * Self.page)
        #expect((0..<4).allSatisfy { words[$0 * Self.page] == 0 })
        for index in 0..<4 { words[index * Self.page] = UInt8(index + 1) }
        try AddressSpace.commit(start, byteCount: 4 * Self.page)
        #expect((0..<4).allSatisfy { words[$0 * Self.page] == UInt8($0 + 1) })
    }

    @Test func `decommitted memory reads zero when committed again, and its neighbours are kept`() throws {
        let (start, words) = try Reservation.make(pageCount: 3)
        defer { AddressSpace.release(start, byteCount: 3 * Self.page) }
        try AddressSpace.commit(start, byteCount: 3 * Self.page)
        for index in 0..<3 { words[index * Self.page] = 7 }
        try AddressSpace.decommit(start + Self.page, byteCount: Self.page)
        #expect(words[0] == 7 && words[2 * Self.page] == 7)
        try AddressSpace.commit(start + Self.page, byteCount: Self.page)
        #expect(words[Self.page] == 0)
        #expect(words[0] == 7 && words[2 * Self.page] == 7)
    }

    @Test func `discarded memory reads zero and can be written, and its neighbours are kept`() throws {
        let (start, words) = try Reservation.make(pageCount: 3)
        defer { AddressSpace.release(start, byteCount: 3 * Self.page) }
        try AddressSpace.commit(start, byteCount: 3 * Self.page)
        for index in 0..<3 { words[index * Self.page] = 7 }
        AddressSpace.discard(start + Self.page, byteCount: 1)
        #expect(words[0] == 7 && words[Self.page] == 0 && words[2 * Self.page] == 7)
        words[Self.page] = 9
        #expect(words[Self.page] == 9)
        AddressSpace.discard(start, byteCount: 0)
        #expect(words[0] == 7)
    }

    @Test func `locked memory is zeroed by discard although it cannot be given back`() throws {
        let (start, words) = try Reservation.make(pageCount: 1)
        defer { AddressSpace.release(start, byteCount: Self.page) }
        try AddressSpace.commit(start, byteCount: Self.page)
        guard mlock(start, Self.page) == 0 else { return }  // not allowed for this user
        words[0] = 7
        AddressSpace.discard(start, byteCount: Self.page)
        #expect(words[0] == 0)
    }

    @Test func `decommit and discard give memory back to the system`() throws {
        let byteCount = 512 << 20
        let start = try AddressSpace.reserve(byteCount: byteCount, alignment: Self.page)
        defer { AddressSpace.release(start, byteCount: byteCount) }
        try AddressSpace.commit(start, byteCount: byteCount)
        for isDiscarded in [false, true] {
            try AddressSpace.commit(start, byteCount: byteCount)
            for offset in stride(from: 0, to: byteCount, by: Self.page) {
                start.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
            }
            let full = try ProcessMemory.residentByteCount()
            if isDiscarded {
                AddressSpace.discard(start, byteCount: byteCount)
            } else {
                try AddressSpace.decommit(start, byteCount: byteCount)
            }
            let empty = try ProcessMemory.residentByteCount()
            #expect(empty < full - byteCount / 2)
        }
    }

    @Test func `the middle of a reservation can be released alone`() throws {
        let (start, words) = try Reservation.make(pageCount: 3)
        try AddressSpace.commit(start, byteCount: 3 * Self.page)
        words[0] = 1
        words[2 * Self.page] = 3
        AddressSpace.release(start + Self.page, byteCount: Self.page)
        #expect(words[0] == 1 && words[2 * Self.page] == 3)
        AddressSpace.release(start, byteCount: Self.page)
        AddressSpace.release(start + 2 * Self.page, byteCount: Self.page)
        AddressSpace.release(start, byteCount: 0)
    }

    @Test func `huge pages can be wished for a range and not for what begins within a page`() throws {
        let start = try AddressSpace.reserve(byteCount: 4 << 20, alignment: 2 << 20)
        defer { AddressSpace.release(start, byteCount: 4 << 20) }
        try AddressSpace.commit(start, byteCount: 4 << 20)
        AddressSpace.adviseHugePages(start, byteCount: 4 << 20)
        #expect(!AddressSpace.adviseHugePages(start + 1, byteCount: 4 << 20))
        start.storeBytes(of: 1, as: UInt8.self)
    }

    @Test(arguments: [(0, 4096), (-1, 4096), (4096, 0), (4096, -4096), (4096, 4097)])
    func `what is no size or no alignment is refused`(byteCount: Int, alignment: Int) {
        #expect(throws: PlatformError(call: "mmap", errorNumber: EINVAL)) {
            _ = try AddressSpace.reserve(byteCount: byteCount, alignment: alignment)
        }
    }

    @Test(arguments: [(1 << 52, 4096), (Int.max, 4096), (4096, 1 << 55), (4096, 1 << 62)])
    func `more addresses than there are is an error`(byteCount: Int, alignment: Int) {
        #expect(throws: PlatformError(call: "mmap", errorNumber: ENOMEM)) {
            _ = try AddressSpace.reserve(byteCount: byteCount, alignment: alignment)
        }
    }

    @Test func `what is not reserved cannot be committed or decommitted`() throws {
        let start = try AddressSpace.reserve(byteCount: 64 * Self.page, alignment: 64 * Self.page)
        AddressSpace.release(start, byteCount: 64 * Self.page)
        let expected = PlatformError(call: "mprotect", errorNumber: ENOMEM)
        #expect(throws: expected) { try AddressSpace.commit(start, byteCount: Self.page) }
        #expect(throws: expected) { try AddressSpace.decommit(start, byteCount: Self.page) }
    }

    @Test func `a range that does not begin on a page, or has no size, is refused`() throws {
        let (start, _) = try Reservation.make(pageCount: 2)
        defer { AddressSpace.release(start, byteCount: 2 * Self.page) }
        for (offset, byteCount, errorNumber) in [
            (1, Self.page, EINVAL), (0, -1, EINVAL), (0, Int.max, ENOMEM),
        ] {
            let expected = PlatformError(call: "mprotect", errorNumber: errorNumber)
            #expect(throws: expected) { try AddressSpace.commit(start + offset, byteCount: byteCount) }
            #expect(throws: expected) { try AddressSpace.decommit(start + offset, byteCount: byteCount) }
        }
    }

    @Test func `reserved memory traps when touched`() async {
        await #expect(processExitsWith: .failure) {
            let start = try AddressSpace.reserve(byteCount: 4096, alignment: 4096)
            start.storeBytes(of: 1, as: UInt8.self)
        }
    }

    @Test func `decommitted memory traps when touched`() async {
        await #expect(processExitsWith: .failure) {
            let start = try AddressSpace.reserve(byteCount: 4096, alignment: 4096)
            try AddressSpace.commit(start, byteCount: 4096)
            try AddressSpace.decommit(start, byteCount: 4096)
            start.storeBytes(of: 1, as: UInt8.self)
        }
    }

    @Test func `releasing or discarding what does not begin on a page traps`() async {
        await #expect(processExitsWith: .failure) {
            let start = try AddressSpace.reserve(byteCount: 8192, alignment: 4096)
            AddressSpace.release(start + 1, byteCount: 4096)
        }
        await #expect(processExitsWith: .failure) {
            let start = try AddressSpace.reserve(byteCount: 1 << 20, alignment: 1 << 20)
            AddressSpace.release(start, byteCount: 1 << 20)
            AddressSpace.discard(start, byteCount: 4096)
        }
    }
}

private enum Reservation {
    static func make(
        pageCount: Int
    ) throws -> (start: UnsafeMutableRawPointer, bytes: UnsafeMutablePointer<UInt8>) {
        let byteCount = pageCount * AddressSpace.pageByteCount
        let start = try AddressSpace.reserve(byteCount: byteCount, alignment: AddressSpace.pageByteCount)
        return (start, start.bindMemory(to: UInt8.self, capacity: byteCount))
    }
}

@Suite struct ProcessMemoryTests {
    @Test func `the peak is no less than what is resident, and both are more than nothing`() throws {
        let now = try ProcessMemory.residentByteCount()
        #expect(now > 1 << 20)
        // Both are sums of rounded counters: some pages apart.
        #expect(try ProcessMemory.peakResidentByteCount() > now - (4 << 20))
    }

    @Test func `touched memory is resident, and its peak outlives it until it is reset`() throws {
        let byteCount = 512 << 20
        let start = try AddressSpace.reserve(byteCount: byteCount, alignment: 4096)
        try AddressSpace.commit(start, byteCount: byteCount)
        memset(start, 1, byteCount)
        #expect(try ProcessMemory.residentByteCount() > byteCount)
        AddressSpace.release(start, byteCount: byteCount)
        #expect(try ProcessMemory.peakResidentByteCount() > byteCount)
    }

    @Test func `a reset peak begins from what is resident`() async {
        // In a process of its own: other tests would raise the peak.
        await #expect(processExitsWith: .success) {
            let byteCount = 512 << 20
            let start = try AddressSpace.reserve(byteCount: byteCount, alignment: 4096)
            try AddressSpace.commit(start, byteCount: byteCount)
            memset(start, 1, byteCount)
            AddressSpace.release(start, byteCount: byteCount)
            do {
                try ProcessMemory.resetPeak()
            } catch {
                return  // /proc cannot be written here
            }
            #expect(try ProcessMemory.peakResidentByteCount() < byteCount)
        }
    }
}

@Suite struct SystemFileTests {
    @Test func `a file is read as far as the buffer goes`() throws {
        var buffer = [UInt8](repeating: 0, count: 8)
        let count = try buffer.withUnsafeMutableBytes { try SystemFile.read("/proc/self/status", into: $0) }
        #expect(count == 8)
        #expect(String(decoding: buffer, as: UTF8.self).hasPrefix("Name:"))
    }

    @Test func `a file that is not there is an error that names it`() {
        let expected = PlatformError(call: "/proc/self/none", errorNumber: ENOENT)
        #expect(throws: expected) {
            _ = try SystemFile.read("/proc/self/none", into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
        #expect(throws: expected) { try SystemFile.write(UInt8(ascii: "5"), to: "/proc/self/none") }
        #expect(SystemFile.text("/proc/self/none") == nil)
        #expect(SystemFile.text("/proc") == nil)
    }

    @Test func `a text longer than the first buffer is read whole`() throws {
        let text = try #require(SystemFile.text("/proc/self/smaps"))
        #expect(text.utf8.count > 10_000)
        #expect(text.contains("[stack]") || text.utf8.count >= 1 << 20)
    }
}
