// What the benchmarks lie on: a runtime's threads with interpreters in it, made of the floors themselves, since the
// face adds calls of its own.

import StillpointMemory
import StillpointPlatform
import StillpointThreads

typealias Thread = UnsafeMutablePointer<ThreadRecord>

/// A runtime's threads and some interpreters without objects.
final class Bed: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    let interpreters: [Interpreter]

    init(interpreterCount: Int = 1) throws {
        let world = try World.make()
        self.world = world
        interpreters = try (0..<interpreterCount).map { _ in try Interpreter(in: world) }
    }

    /// The only interpreter, or the first.
    var interpreter: Interpreter { interpreters[0] }

    /// Ends interpreters and runtime; every thread of theirs has ended.
    func end() {
        for interpreter in interpreters { interpreter.end() }
        World.destroy(world)
    }
}

/// One interpreter of a bed.
final class Interpreter: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    let roster: UnsafeMutablePointer<Roster>
    private let heap: UnsafeMutablePointer<InterpreterHeap>

    init(in world: UnsafeMutablePointer<World>) throws {
        self.world = world
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: world, heap: heap)
    }

    fileprivate func end() {
        Roster.close(roster)
        Roster.destroy(roster)
        heap.deinitialize(count: 1)
        heap.deallocate()
    }

    /// Runs `body` with a new thread state attached to this OS thread, and ends it after that.
    func withThread<Result>(_ body: (Thread) throws -> Result) throws -> Result {
        let thread = try Roster.makeThread(in: roster)
        try Attachment.attach(thread)
        defer {
            do {
                try Roster.clear(thread, by: thread)
            } catch {
                fatalError("the benchmark's own thread state cannot be cleared: \(error)")
            }
            Roster.deleteCurrent(thread)
        }
        return try body(thread)
    }

    /// Stops this interpreter; the caller resumes it.
    func stop() throws -> StoppedWorld { try StopTheWorld.begin(world, scope: roster) }
}

/// Attaches a thread state that the benchmark itself detached, which cannot fail.
@inline(__always)
func attachAgain(_ thread: Thread) {
    do {
        try Attachment.attach(thread)
    } catch {
        fatalError("the benchmark's own thread state cannot be attached: \(error)")
    }
}
