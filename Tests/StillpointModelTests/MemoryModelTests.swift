// What the litmus table does not say of the memory model: which store a choice is, spinning, histories over real
// addresses.

import Testing

@testable import StillpointModel

struct MemoryModelTests {
    private let memory = MemoryModel()

    init() { memory.reset(threadCount: 3) }

    private func load(_ thread: Int, _ address: UInt, current: UInt64, choose: Choose) -> UInt64 {
        memory.load(
            by: thread, at: address, byteCount: 8, order: .relaxed, current: current, site: .unknown, choose: choose)
    }

    private func store(_ thread: Int, _ address: UInt, _ value: UInt64, current: UInt64) -> UInt64 {
        memory.store(
            by: thread, at: address, byteCount: 8, value: value, order: .relaxed, current: current, site: .unknown,
            choose: { _ in 0 })
    }

    private func never(_ count: Int) -> Int {
        Issue.record("there is nothing to choose")
        return 0
    }

    @Test func `choice 0 is the newest store, the last the oldest that may be read`() {
        for value in UInt64(1)...3 { #expect(store(1, 0x1000, value, current: value - 1) == value) }
        var counts: [Int] = []
        func last(_ count: Int) -> Int {
            counts.append(count)
            return count - 1
        }
        #expect(load(2, 0x1000, current: 3) { _ in 2 } == 1)
        #expect(load(2, 0x1000, current: 3, choose: last) == 1)
        #expect(load(2, 0x1000, current: 3) { _ in 0 } == 3)
        #expect(load(2, 0x1000, current: 3, choose: never) == 3)
        #expect(counts == [3])
    }

    @Test func `real memory holds the store that is last in modification order`() {
        #expect(store(1, 0x1000, 1, current: 0) == 1)
        let left = memory.store(
            by: 2, at: 0x1000, byteCount: 8, value: 2, order: .relaxed, current: 1, site: .unknown,
            choose: { $0 - 1 })
        #expect(left == 1)
        #expect(load(2, 0x1000, current: 1, choose: { _ in 1 }) == 2)
    }

    @Test func `a location begins with what memory holds, and everybody knows it`() {
        #expect(load(1, 0x1000, current: 42, choose: never) == 42)
        #expect(load(2, 0x1000, current: 42, choose: never) == 42)
    }

    @Test func `a change that was not reported begins a new history`() {
        _ = store(1, 0x1000, 1, current: 0)
        #expect(load(2, 0x1000, current: 9, choose: never) == 9)
        #expect(memory.unreportedChangeCount == 1)
    }

    @Test func `who spins reads the newest store of what it has read, once a hint`() {
        _ = store(1, 0x1000, 1, current: 0)
        #expect(load(2, 0x1000, current: 1, choose: { $0 - 1 }) == 0)
        memory.spinHint(by: 2)
        _ = store(1, 0x1000, 2, current: 1)
        _ = store(1, 0x2000, 1, current: 0)
        #expect(load(2, 0x1000, current: 2, choose: never) == 2)
        #expect(load(2, 0x2000, current: 1, choose: { $0 - 1 }) == 0, "it was not read before the hint")
        _ = store(1, 0x1000, 3, current: 2)
        #expect(load(2, 0x1000, current: 3, choose: { $0 - 1 }) == 2, "the hint has been answered")
    }

    @Test func `a thread that is started or joined carries what was done`() {
        _ = store(0, 0x1000, 1, current: 0)
        memory.start(child: 1, by: 0)
        #expect(load(1, 0x1000, current: 1, choose: never) == 1)
        _ = store(1, 0x1000, 2, current: 1)
        memory.join(child: 1, by: 0)
        #expect(load(0, 0x1000, current: 2, choose: never) == 2)
        #expect(memory.addThread() == 3)
        memory.start(child: 3, by: 0)
        #expect(load(3, 0x1000, current: 2, choose: never) == 2)
    }

    @Test func `real addresses, thousands of them, keep apart`() {
        let cells = UnsafeMutablePointer<UInt64>.allocate(capacity: 10_000)
        defer { cells.deallocate() }
        let addresses = (0..<10_000).map { UInt(bitPattern: cells + $0) } + (0..<100).map { UInt.max - 7 - 8 * $0 }
        for round in 0..<2 {
            memory.reset(threadCount: 2)
            for (index, address) in addresses.enumerated() {
                #expect(store(1, address & ~7, UInt64(index + round), current: 0) == UInt64(index + round))
            }
            for (index, address) in addresses.enumerated() {
                let value = UInt64(index + round)
                #expect(load(1, address & ~7, current: value, choose: never) == value)
            }
        }
        #expect(memory.unreportedChangeCount == 0)
    }

    @Test func `hundreds of sequentially consistent operations stay in order`() {
        memory.start(child: 1, by: 0)
        memory.start(child: 2, by: 0)
        var values: [UInt64] = [0, 0]
        var zeros = 0
        for _ in 0..<300 {
            for thread in 1...2 {
                let own = thread - 1
                values[own] = memory.store(
                    by: thread, at: UInt(0x1000 + 64 * own), byteCount: 8, value: values[own] + 1,
                    order: .sequentiallyConsistent, current: values[own], site: .unknown, choose: { $0 - 1 })
                let other = memory.load(
                    by: thread, at: UInt(0x1000 + 64 * (1 - own)), byteCount: 8, order: .sequentiallyConsistent,
                    current: values[1 - own], site: .unknown, choose: { $0 - 1 })
                if other != values[1 - own] { zeros += 1 }
            }
        }
        #expect(zeros == 0, "each load follows its thread's store, and the other's store came before that")
    }
}
