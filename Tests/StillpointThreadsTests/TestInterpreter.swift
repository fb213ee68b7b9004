// What the tests of this floor share: a world with interpreters.

import CStillpoint
import Glibc
import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

typealias Thread = UnsafeMutablePointer<ThreadRecord>

/// A runtime's threads, with as many interpreters as a test wants.
final class TestRuntime: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    private(set) var interpreters: [TestInterpreter] = []

    init(hooks: ThreadHooks = ThreadHooks()) throws {
        world = try World.make(hooks: hooks)
    }

    func makeInterpreter(
        lock: UnsafeMutablePointer<InterpreterLock>? = nil
    ) throws -> TestInterpreter {
        let interpreter = try TestInterpreter(in: self, lock: lock)
        interpreters.append(interpreter)
        return interpreter
    }

    /// Everything that a test made ends here; leaks are the sanitizers' business.
    func end() {
        for interpreter in interpreters { interpreter.end() }
        World.destroy(world)
    }
}

final class TestInterpreter: @unchecked Sendable {
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    unowned let runtime: TestRuntime
    /// What object locks are taken on: headers without objects.
    let objects: UnsafeMutableRawPointer

    init(in runtime: TestRuntime, lock: UnsafeMutablePointer<InterpreterLock>?) throws {
        self.runtime = runtime
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: runtime.world, heap: heap, lock: lock)
        objects = try RawMemory.allocate(byteCount: 16 * 16)
    }

    func end() {
        Roster.close(roster)
        Roster.destroy(roster)
        heap.deinitialize(count: 1)
        heap.deallocate()
        RawMemory.free(objects)
    }

    /// A slot that names object number `index`.
    func slot(_ index: Int) -> ObjectSlot {
        let slot = ObjectSlot.allocate(capacity: 1)
        slot.initialize(to: objects + 16 * index)
        keepForever(slot)
        return slot
    }

    func lockBits(_ index: Int) -> UInt32 {
        (objects + 16 * index + 12).assumingMemoryBound(to: Atomic<UInt32>.self)
            .pointee.load(ordering: .relaxed) >> 24
    }

    func make() throws -> Thread { try Roster.makeThread(in: roster) }

    /// Runs `body` with a new thread state attached to this OS thread, which is cleared and deleted then.
    func withThread<Result>(_ body: (Thread) throws -> Result) throws -> Result {
        let thread = try make()
        try Attachment.attach(thread)
        defer {
            try! Roster.clear(thread, by: thread)
            Roster.deleteCurrent(thread)
        }
        return try body(thread)
    }

    /// The same on a new OS thread.
    func start(_ body: @escaping @Sendable (Thread) -> Void) -> Running {
        Running { try! self.withThread { body($0) } }
    }
}

func state(of thread: Thread) -> UInt32 {
    ThreadWord.state(thread.pointee.participant.word.load(ordering: .relaxed))
}

/// The word without the bit that any grace period of the process sets, a test's beside this one too.
func word(of thread: Thread) -> UInt32 {
    thread.pointee.participant.word.load(ordering: .relaxed) & ~Participant.quiescenceWanted
}
