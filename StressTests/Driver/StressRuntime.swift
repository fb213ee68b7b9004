// A runtime's threads without objects, for scenarios of floor 4: interpreters, and workers attached to them.

import StillpointMemory
import StillpointPlatform
import StillpointThreads

typealias ThreadPointer = UnsafeMutablePointer<ThreadRecord>

/// A world and its interpreters, one run's.
final class StressRuntime: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    let interpreters: [StressInterpreter]
    private let context: StressContext
    private let observer: Int

    /// - Parameter locks: the interpreter lock of each interpreter, or nil: free threading.
    init(
        _ context: StressContext, interpreterCount: Int, locks: [UnsafeMutablePointer<InterpreterLock>?]? = nil,
        hooks: ThreadHooks = ThreadHooks()
    ) throws {
        let world = try World.make(hooks: hooks)
        self.world = world
        let made = try (0..<interpreterCount).map {
            try StressInterpreter(in: world, lock: locks?[$0])
        }
        interpreters = made
        self.context = context
        observer = context.monitor.observe { counts in
            counts.interpreters += made.count
            for interpreter in made { counts.threadStates += interpreter.threadCount }
        }
    }

    /// No thread is left.
    func end() {
        context.monitor.forget(observer)
        context.add(pauses: world.pointee.pause.snapshot())
        for interpreter in interpreters { interpreter.end() }
        World.destroy(world)
    }
}

final class StressInterpreter: @unchecked Sendable {
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>

    fileprivate init(
        in world: UnsafeMutablePointer<World>, lock: UnsafeMutablePointer<InterpreterLock>?
    ) throws {
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: world, heap: heap, lock: lock)
    }

    /// Thread states that it has now.
    fileprivate var threadCount: Int {
        var count = 0
        Roster.forEachThread(of: roster) { _ in count += 1 }
        return count
    }

    /// Runs `body` with a new thread state attached, which is cleared and deleted at the end.
    func withThread(_ body: (ThreadPointer) throws -> Void) throws {
        let thread = try Roster.makeThread(in: roster)
        try Attachment.attach(thread)
        try body(thread)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
    }

    fileprivate func end() {
        Roster.close(roster)
        Roster.destroy(roster)
        heap.deinitialize(count: 1)
        heap.deallocate()
    }
}

extension ThreadPointer {
    /// One of the things that a thread does between two pieces of work: polls, or detaches for a while; under
    /// torture, at every so many safepoints it stops its interpreter or all.
    func rest(_ worker: inout Worker) throws {
        if worker.context.isTorture, worker.random.oneIn(32) {
            let scope = worker.random.oneIn(2) ? nil : pointee.roster
            try StopTheWorld.begin(pointee.world, scope: scope).resume()
            worker.countStop()
        }
        if worker.random.oneIn(worker.context.isTorture ? 4 : 16) {
            Attachment.detach(self)
            worker.chaos()
            try Attachment.attach(self)
        } else {
            Safepoint.poll(self)
            worker.chaos()
        }
    }
}
