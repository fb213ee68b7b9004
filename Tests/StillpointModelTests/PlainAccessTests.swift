// Data races, widths and freed memory, as the memory model finds them.

import Testing

@testable import StillpointModel

struct PlainAccessTests {
    private let memory = MemoryModel()
    private let cell: UInt = 0x7F3A_1000_2040

    init() {
        memory.reset(threadCount: 3)
        memory.start(child: 1, by: 0)
        memory.start(child: 2, by: 0)
    }

    private func read(_ thread: Int, _ offset: UInt = 0, _ byteCount: Int = 8) -> ModelFault.Kind? {
        memory.plainRead(by: thread, at: cell + offset, byteCount: byteCount, site: .unknown)?.kind
    }

    private func write(_ thread: Int, _ offset: UInt = 0, _ byteCount: Int = 8) -> ModelFault.Kind? {
        memory.plainWrite(by: thread, at: cell + offset, byteCount: byteCount, site: .unknown)?.kind
    }

    private func load(_ thread: Int, at offset: UInt = 0, byteCount: Int = 8) -> ModelFault.Kind? {
        _ = memory.load(
            by: thread, at: cell + offset, byteCount: byteCount, order: .sequentiallyConsistent, current: 0,
            site: .unknown, choose: { _ in 0 })
        return memory.fault?.kind
    }

    private func store(_ thread: Int, at offset: UInt = 0, byteCount: Int = 8) -> ModelFault.Kind? {
        _ = memory.store(
            by: thread, at: cell + offset, byteCount: byteCount, value: 0, order: .sequentiallyConsistent, current: 0,
            site: .unknown, choose: { _ in 0 })
        return memory.fault?.kind
    }

    private func update(_ thread: Int, succeeding: Bool) -> ModelFault.Kind? {
        _ = memory.readModifyWrite(
            by: thread, at: cell, byteCount: 8, order: .acquireRelease, failureOrder: .acquire, current: 0,
            site: .unknown, choose: { _ in 0 }, transform: { _ in succeeding ? 0 : nil })
        return memory.fault?.kind
    }

    /// What 1 has done happens before what 2 does next.
    private func handOver() {
        memory.acquire(memory.release(by: 1), by: 2)
    }

    // MARK: Plain against plain

    @Test func `two writes by two threads race`() {
        #expect(write(1) == nil)
        #expect(write(2) == .dataRace)
    }

    @Test func `a read and a write race, whichever is first`() {
        #expect(read(1) == nil)
        #expect(write(2) == .dataRace)
        memory.reset(threadCount: 3)
        #expect(write(1) == nil)
        #expect(read(2) == .dataRace)
    }

    @Test func `two reads do not race`() {
        #expect(read(1) == nil)
        #expect(read(2) == nil)
    }

    @Test func `accesses in order do not race`() {
        #expect(write(1) == nil)
        handOver()
        #expect(read(2) == nil)
        #expect(write(2) == nil)
    }

    @Test func `an access after the hand-over races`() {
        #expect(write(1) == nil)
        handOver()
        #expect(write(1) == nil)
        #expect(read(2) == .dataRace)
    }

    @Test func `a write must happen after the reads of all threads`() {
        #expect(read(0) == nil)
        #expect(read(1) == nil)
        handOver()
        #expect(read(2) == nil)
        #expect(write(2) == .dataRace)
    }

    @Test func `what the set-up wrote is read by all threads, and the last thread reads what they wrote`() {
        memory.reset(threadCount: 3)
        #expect(write(0) == nil)
        memory.start(child: 1, by: 0)
        memory.start(child: 2, by: 0)
        #expect(read(1) == nil)
        #expect(read(2) == nil)
        #expect(write(1, 8) == nil)
        memory.join(child: 1, by: 0)
        memory.join(child: 2, by: 0)
        #expect(read(0, 8) == nil)
        #expect(write(0) == nil)
    }

    @Test(arguments: 1...16)
    func `accesses race by the byte`(byteCount: Int) {
        for start in UInt(0)..<24 {
            memory.reset(threadCount: 3)
            #expect(write(1, 8, byteCount) == nil)
            let touches = start < 8 + UInt(byteCount) && start + 3 > 8
            #expect(write(2, start, 3) == (touches ? .dataRace : nil), "3 bytes at \(start)")
        }
    }

    @Test func `a part that is written again does not hide the rest`() {
        #expect(write(1) == nil)
        #expect(write(1, 2, 2) == nil)
        #expect(write(2, 6, 2) == .dataRace)
    }

    // MARK: Plain against atomic

    @Test func `a plain access races with an atomic one when one of them writes`() {
        #expect(store(1) == nil)
        #expect(read(2) == .dataRace)
        memory.reset(threadCount: 3)
        #expect(load(1) == nil)
        #expect(read(2) == nil)
        #expect(write(2) == .dataRace)
        memory.reset(threadCount: 3)
        #expect(write(1) == nil)
        #expect(load(2) == .dataRace)
        memory.reset(threadCount: 3)
        #expect(read(1) == nil)
        #expect(load(2) == nil)
        #expect(store(2) == .dataRace)
    }

    @Test func `an update races with a plain read only when it writes`() {
        #expect(read(1) == nil)
        #expect(update(2, succeeding: false) == nil)
        #expect(update(2, succeeding: true) == .dataRace)
    }

    @Test func `a plain write begins a new history`() {
        #expect(store(1) == nil)
        handOver()
        #expect(write(2) == nil)
        #expect(load(2, byteCount: 4) == nil, "another width, in its second life")
        #expect(memory.unreportedChangeCount == 0)
    }

    // MARK: Widths

    @Test func `a location has one width`() {
        #expect(load(1, at: 0, byteCount: 4) == nil)
        #expect(load(1, at: 4, byteCount: 4) == nil)
        #expect(load(1, at: 0, byteCount: 8) == .mixedWidths)
    }

    @Test func `an atomic access is aligned and no wider than a word`() {
        #expect(load(1, at: 2, byteCount: 4) == .badAccess)
        memory.reset(threadCount: 1)
        #expect(load(0, at: 0, byteCount: 16) == .badAccess)
    }

    // MARK: Freed memory

    @Test func `freed memory is not used until it is allocated again`() {
        #expect(memory.freed(at: cell, byteCount: 32, by: 1) == nil)
        #expect(read(1, 32) == nil)
        memory.allocated(at: cell, byteCount: 16, by: 2)
        #expect(write(2, 8) == nil)
        #expect(load(2, at: 16) == .useAfterFree)
    }

    @Test func `memory that others may still use is not freed`() {
        #expect(load(1) == nil)
        #expect(memory.freed(at: cell, byteCount: 8, by: 2)?.kind == .freedInUse)
        memory.reset(threadCount: 3)
        #expect(read(1) == nil)
        handOver()
        #expect(memory.freed(at: cell, byteCount: 8, by: 2) == nil)
        #expect(memory.freed(at: cell, byteCount: 8, by: 2)?.kind == .freedTwice)
    }

    @Test func `a large block is freed with all that was seen of it`() {
        let byteCount = 1 << 30
        #expect(write(1, 1 << 20) == nil)
        #expect(memory.freed(at: cell, byteCount: byteCount, by: 1) == nil)
        #expect(read(1, 1 << 20) == .useAfterFree)
        memory.reset(threadCount: 3)
        #expect(memory.freed(at: cell, byteCount: byteCount, by: 1) == nil)
        #expect(read(1, 1 << 29) == .useAfterFree, "seen only after it was freed")
    }

    @Test func `a fault names both accesses`() throws {
        _ = memory.plainWrite(
            by: 1, at: cell, byteCount: 8, site: Site(fileID: "A.swift", line: 1, function: "f()"))
        let fault = memory.plainRead(
            by: 2, at: cell, byteCount: 8, site: Site(fileID: "B.swift", line: 2, function: "g()"))
        let words = try #require(fault).description(threadName: { "t\($0)" }, addressName: { _ in "cell" })
        #expect(
            words == """
                data race on 8 bytes at cell: plain read by t2 at B.swift:2 g() \
                and plain write by t1 at A.swift:1 f(); neither happens before the other
                """)
    }
}
