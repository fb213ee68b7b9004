import Glibc
import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

/// What threads, stops and the service thread do when the system fails them.
@Suite(.serialized) struct FailureTests {
    @Test(arguments: [false, true])
    func `a world is made whole or not at all, and what is in it too`(isLasting: Bool) {
        var walk = FailureWalk([.memory, .threadStart, .threadAttributes])
        walk.isLasting = isLasting
        walk.isOfCallerAlone = true
        let steps = walk.run(surfacing: isTyped) { try liveInWorld() }
        // A world, its two histograms and the start of its service thread; an interpreter lock; twice a roster, its two
        // histograms and a thread state; a block and its chunk of deferred frees.
        #expect(steps.count(of: .memory, .surfaced) == 4 + 1 + 2 * 4 + 2)
        #expect(steps.count(of: .threadStart, .surfaced) == 1)
        #expect(steps.count == 16)
    }

    @Test(arguments: [false, true])
    func `what fails the service thread, and a sleep that ends too early, is borne`(isLasting: Bool) {
        var walk = FailureWalk([.memory, .futexWait, .readerRegistration])
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: isTyped) { try onNewThread { try liveInWorld() } }
        if !isLasting { #expect(steps.count(of: .futexWait, .borne) > 0) }
        #expect(steps.count(of: .futexWait, .surfaced) == 0)
        #expect(steps.count(of: .readerRegistration, .surfaced) > 0)
    }

    /// In a process of its own, where nobody was registered yet.
    @Test func `the first thread state of a process is made whole or not at all`() async {
        await #expect(processExitsWith: .success) {
            let steps = FailureWalk([.readerRegistration]).run(surfacing: isTyped) {
                try onNewThread { try liveInWorld() }
            }
            // The fork handlers, which are registered once; and then the first thread, unless the service thread came
            // before it and bore it.
            #expect((1...2).contains(steps.count(of: .readerRegistration, .surfaced)))
        }
    }

    @Test func `the service thread does what is due once there is memory again`() throws {
        let plan = FailurePlan([.memory, .readerRegistration], ordinal: 1, isLasting: true, isShort: false)
        try plan.withPlan {
            let world = try World.make()
            let heap = makeHeap()
            let roster = try Roster.make(in: world, heap: heap)
            try withAttached(in: roster) { thread in
                let before = freedCount.load(ordering: .acquiring)
                try deferFree(by: thread)
                plan.beginShortage()
                Attachment.detach(thread)
                eventually("the service thread") { plan.failureCount > 2 }
                #expect(freedCount.load(ordering: .acquiring) == before)
                plan.endShortage()
                eventually("what was due") { freedCount.load(ordering: .acquiring) == before + 1 }
                try Attachment.attach(thread)
            }
            end(roster)
            World.destroy(world)
            end(heap)
        }
        #expect(plan.liveBlockCount == 0)
    }
}

/// How many blocks `deferFree` has seen freed.
private let freedCount = Atomic<Int>(0)

private func isTyped(_ error: any Error) -> Bool {
    switch error {
    case is PlatformError: true
    case ThreadStateError.outOfResources: true
    default: false
    }
}

/// Makes a world with two interpreters, one with a lock; attaches two threads, stops one, defers a free; ends everything.
private func liveInWorld() throws {
    let world = try World.make()
    defer { World.destroy(world) }
    let lock = try InterpreterLock.make()
    defer { InterpreterLock.destroy(lock) }
    let heap = makeHeap()
    defer { end(heap) }
    let roster = try Roster.make(in: world, heap: heap)
    defer { end(roster) }
    let locked = try Roster.make(in: world, heap: heap, lock: lock)
    defer { end(locked) }
    try withAttached(in: roster) { thread in
        try deferFree(by: thread)
        let other = Other(in: roster)
        eventually("the other") {
            Safepoint.poll(thread)
            return other.hasBegun.isRaised
        }
        try StopTheWorld.with(world, scope: roster) { _ = usleep(200) }
        other.mayEnd.raise()
        Attachment.detach(thread)
        other.running!.join()
        try Attachment.attach(thread)
        try other.result!.get()
    }
    try withAttached(in: locked) { Safepoint.poll($0) }
}

/// A thread that polls until it is told to end.
private final class Other: @unchecked Sendable {
    let hasBegun = Shared()
    let mayEnd = Shared()
    /// Read after the join.
    var result: Result<Void, any Error>?
    var running: Running?

    init(in roster: UnsafeMutablePointer<Roster>) {
        nonisolated(unsafe) let roster = roster
        running = Running { [self] in
            result = Result {
                try withAttached(in: roster) { thread in
                    hasBegun.raise()
                    while !mayEnd.isRaised { Safepoint.poll(thread) }
                }
            }
            hasBegun.raise()
        }
    }
}

private func deferFree(by thread: Thread) throws {
    let block = try RawMemory.allocate(byteCount: 16)
    do {
        try thread.deferFree(of: block, byteCount: 16) { block, _ in
            RawMemory.free(block)
            freedCount.wrappingAdd(1, ordering: .releasing)
        }
    } catch {
        RawMemory.free(block)
        throw error
    }
}

private func makeHeap() -> UnsafeMutablePointer<InterpreterHeap> {
    let heap = UnsafeMutablePointer<InterpreterHeap>.allocate(capacity: 1)
    heap.initialize(to: InterpreterHeap())
    return heap
}

private func end(_ heap: UnsafeMutablePointer<InterpreterHeap>) {
    heap.checkInvariants()
    heap.deinitialize(count: 1)
    heap.deallocate()
}

private func end(_ roster: UnsafeMutablePointer<Roster>) {
    Roster.close(roster)
    Roster.destroy(roster)
}

private func withAttached(in roster: UnsafeMutablePointer<Roster>, _ body: (Thread) throws -> Void) throws {
    let thread = try Roster.makeThread(in: roster)
    do { try Attachment.attach(thread) } catch {
        Roster.deleteUnused(thread)
        throw error
    }
    defer {
        try! Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
    }
    try body(thread)
}
