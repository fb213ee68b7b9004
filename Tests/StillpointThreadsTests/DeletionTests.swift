import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

@testable import StillpointThreads

/// What the hooks of these tests tell, one test at a time.
private enum Told {
    nonisolated(unsafe) static var isMerging = Shared()
    nonisolated(unsafe) static var mayMerge = Shared()
    nonisolated(unsafe) static var isEnded = Shared()

    static func hooks() -> ThreadHooks {
        (isMerging, mayMerge, isEnded) = (Shared(), Shared(), Shared())
        var hooks = ThreadHooks()
        hooks.merge = { _, _ in
            Told.isMerging.raise()
            while !Told.mayMerge.isRaised { SystemThread.yield() }
        }
        hooks.deinitialize = { _ in Told.isEnded.raise() }
        return hooks
    }
}

@Suite(.serialized) struct DeletionTests {
    @Test func `a thread that a stop has asked deletes an unused state without waiting for the stop`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            let stopper = Running { try! StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume() }
            eventually("the stop asks") { word(of: thread) & ThreadWord.stopRequested != 0 }
            // The stop waits for this thread, which would wait for the end of the stop.
            Roster.deleteUnused(try interpreter.make())
            Attachment.detach(thread)
            stopper.join()
            try Attachment.attach(thread)
        }
        runtime.end()
    }

    @Test func `an unused state is not deleted while the service thread works for it`() throws {
        let runtime = try TestRuntime(hooks: Told.hooks())
        let interpreter = try runtime.makeInterpreter()
        nonisolated(unsafe) let unused = try interpreter.make()
        unused.setDue(ThreadWord.mergeDue)
        ServiceSignal.request(ServiceThread.dueWork, of: runtime.world.signal)
        eventually("the service thread merges") { Told.isMerging.isRaised }
        let deleter = Running { Roster.deleteUnused(unused) }
        for _ in 0..<1000 { SystemThread.yield() }
        #expect(!Told.isEnded.isRaised)
        Told.mayMerge.raise()
        deleter.join()
        #expect(Told.isEnded.isRaised)
        runtime.end()
    }

    @Test func `an unused state is not deleted while the holder of the interpreter's lock has it for itself`() throws {
        let runtime = try TestRuntime(hooks: Told.hooks())
        let lock = try InterpreterLock.make()
        let interpreter = try runtime.makeInterpreter(lock: lock)
        nonisolated(unsafe) let unused = try interpreter.make()
        try interpreter.withThread { _ in
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            let deleter = Running { Roster.deleteUnused(unused) }
            for _ in 0..<1000 { SystemThread.yield() }
            #expect(!Told.isEnded.isRaised)
            stopped.resume()
            deleter.join()
            #expect(Told.isEnded.isRaised)
        }
        runtime.end()
        InterpreterLock.destroy(lock)
    }
}
