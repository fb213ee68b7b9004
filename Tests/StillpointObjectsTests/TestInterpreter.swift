// What the tests of this floor share: a runtime with interpreters that hold objects, and payloads whose births and deaths are counted.

import CStillpoint
import Glibc
import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

typealias Thread = UnsafeMutablePointer<ObjectThread>

final class TestRuntime: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    let objects: UnsafeMutablePointer<RuntimeObjects>
    private(set) var interpreters: [TestInterpreter] = []

    init(maximumTypeCount: Int = 100, maximumThreadCount: Int = 1000) throws {
        var hooks = ThreadHooks()
        ObjectHooks.install(into: &hooks)
        world = try World.make(hooks: hooks)
        objects = try RuntimeObjects.make(
            maximumTypeCount: maximumTypeCount, maximumThreadCount: maximumThreadCount)
    }

    func makeInterpreter() throws -> TestInterpreter {
        let interpreter = try TestInterpreter(in: self)
        interpreters.append(interpreter)
        return interpreter
    }

    /// Ends everything. Every object has died, and no handle is held, unless said otherwise.
    func end(leakedObjects: Int = 0, heldHandles: Int = 0) {
        for interpreter in interpreters {
            interpreter.end(leakedObjects: leakedObjects, heldHandles: heldHandles)
        }
        World.destroy(world)
        RuntimeObjects.destroy(objects)
    }
}

final class TestInterpreter: @unchecked Sendable {
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    let objects: UnsafeMutablePointer<InterpreterObjects>
    unowned let runtime: TestRuntime

    init(in runtime: TestRuntime) throws {
        self.runtime = runtime
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: runtime.world, heap: heap)
        objects = try InterpreterObjects.make(for: roster, in: runtime.objects)
    }

    func end(leakedObjects: Int, heldHandles: Int) {
        let counts = settle()
        #expect(counts.born - counts.died == leakedObjects, "objects that did not die: \(counts)")
        #expect(heap.statistics().liveBlockCount == leakedObjects)
        heap.checkInvariants()
        Roster.close(roster)
        Roster.destroy(roster)
        #expect(InterpreterObjects.destroy(objects) == heldHandles)
        heap.deinitialize(count: 1)
        heap.deallocate()
    }

    /// Merges and frees all that waits, at a stop, and counts.
    func settle() -> ObjectCounts {
        try! withThread { thread in
            try StopTheWorld.with(runtime.world, scope: roster) { () -> ObjectCounts in
                objects.mergeAllQueued(by: thread)
                Roster.drainDeferred(of: roster, by: UnsafeMutableRawPointer(thread))
                return objects.counts()
            }
        }
    }

    func make() throws -> Thread { Thread(try Roster.makeThread(in: roster)) }

    /// Runs `body` with a new thread state attached to this OS thread, which is cleared and deleted then.
    func withThread<Result>(_ body: (Thread) throws -> Result) throws -> Result {
        let thread = try make()
        try Attachment.attach(thread.record)
        defer { leave(thread) }
        return try body(thread)
    }

    /// The same on a new OS thread.
    func start(
        stackByteCount: Int? = nil, _ body: @escaping @Sendable (Thread) -> Void
    ) -> Running {
        Running(stackByteCount: stackByteCount) { try! self.withThread { body($0) } }
    }
}

/// Clears and deletes the attached thread state of this OS thread.
func leave(_ thread: Thread) {
    try! Roster.clear(thread.record, by: thread.record)
    Roster.deleteCurrent(thread.record)
}

/// Makes a thread state inside a test that simulates several on one OS thread. It is never attached.
extension TestInterpreter {
    func makeIdle() throws -> Thread { try make() }
}

// MARK: Payloads

/// Counts lives: how many payloads with it there are.
final class Life: Sendable {
    let census: Census
    init(_ census: Census) {
        self.census = census
        census.born.wrappingAdd(1, ordering: .relaxed)
    }
    deinit { census.died.wrappingAdd(1, ordering: .relaxed) }
}

final class Census: Sendable {
    let born = Atomic<Int>(0)
    let died = Atomic<Int>(0)
    var aliveCount: Int {
        born.load(ordering: .relaxed) - died.load(ordering: .relaxed)
    }
}

struct Node: ManagedPayload {
    var number = 0
    var next = Field<Node>()
    var other = Field<Node>()
    static var references: [PartialKeyPath<Node>] { [\.next, \.other] }
}

/// A payload with something to destroy.
struct Person: ManagedPayload {
    var life: Life
    var friend = Field<Person>()
    static var references: [PartialKeyPath<Person>] { [\.friend] }
}

extension String {
    /// Calls `body` with the bytes and their hash.
    func withKey<Result>(
        _ body: (UnsafeRawBufferPointer, UInt64) throws -> Result
    ) rethrows -> Result {
        var copy = self
        return try copy.withUTF8 { buffer in
            let bytes = UnsafeRawBufferPointer(buffer)
            return try body(bytes, BytesHash.of(bytes))
        }
    }
}
