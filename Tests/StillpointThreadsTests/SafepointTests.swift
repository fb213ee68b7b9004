import CStillpoint
import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Synchronization
import Testing

@testable import StillpointThreads

/// How many blocks the C functions below have freed: those carry no context.
private let freedCount = Atomic<Int>(0)
private let mergedCount = Atomic<Int>(0)
private let collectedCount = Atomic<Int>(0)

private func freeBlock(_ block: UnsafeMutableRawPointer, _ thread: UnsafeMutableRawPointer?) {
    RawMemory.free(block)
    freedCount.wrappingAdd(1, ordering: .acquiringAndReleasing)
}

/// Serialised: the tests share the counters above.
@Suite(.serialized) struct SafepointTests {
    private func deferBlocks(_ count: Int, byteCount: Int, by thread: Thread) throws {
        for _ in 0..<count {
            let block = try RawMemory.allocate(byteCount: 16)
            try thread.deferFree(of: block, byteCount: byteCount, free: freeBlock)
        }
    }

    @Test func `deferred frees happen at a safepoint once a grace period has passed`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            let before = freedCount.load(ordering: .acquiring)
            try deferBlocks(300, byteCount: 16, by: thread)  // more than a chunk
            #expect(freedCount.load(ordering: .acquiring) == before)
            eventually("freed by polling") {
                Safepoint.poll(thread)
                return freedCount.load(ordering: .acquiring) == before + 300
            }
            let left = thread.deferred.pointee.byteCount
            #expect(left == 0)
        }
        runtime.end()
    }

    @Test func `deferred frees happen while every thread is detached`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        let thread = try interpreter.make()
        try Attachment.attach(thread)
        let before = freedCount.load(ordering: .acquiring)
        try deferBlocks(5, byteCount: 16, by: thread)
        Attachment.detach(thread)
        eventually("freed by the service thread") {
            freedCount.load(ordering: .acquiring) == before + 5
        }
        try Attachment.attach(thread)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        runtime.end()
    }

    @Test func `deferred frees of a thread that is gone are not lost`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        let before = freedCount.load(ordering: .acquiring)
        try interpreter.withThread { try deferBlocks(7, byteCount: 16, by: $0) }
        eventually("freed") { freedCount.load(ordering: .acquiring) == before + 7 }
        try interpreter.withThread { try deferBlocks(3, byteCount: 16, by: $0) }
        runtime.end()  // what is still deferred is freed with the interpreter
        #expect(freedCount.load(ordering: .acquiring) == before + 10)
    }

    @Test func `a stop is a grace period for what its interpreter deferred`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        try interpreter.withThread { try deferBlocks(2, byteCount: 16, by: $0) }
        try interpreter.withThread { thread in
            try deferBlocks(3, byteCount: 16, by: thread)
            let before = freedCount.load(ordering: .acquiring)
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            let freed = Roster.drainDeferred(of: interpreter.roster, by: thread)
            // The two of the thread that is gone may have been freed by the service thread meanwhile.
            #expect((3...5).contains(freed))
            #expect(freedCount.load(ordering: .acquiring) == before + freed)
            stopped.resume()
        }
        runtime.end()
    }

    @Test func `bytes deferred past the hard limit are waited for at the next safepoint`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            for _ in 0..<5 {
                try deferBlocks(9, byteCount: 1 << 20, by: thread)
                let isOver = thread.deferred.pointee.isOverHardLimit
                #expect(isOver)
                Safepoint.poll(thread)
                let isOverStill = thread.deferred.pointee.isOverHardLimit
                #expect(!isOverStill)
            }
        }
        runtime.end()
    }

    @Test func `a reader that does not poll holds up the grace period, a detached one does not`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        let attached = Shared()
        let mayPoll = Shared()
        let done = Shared()
        let reader = interpreter.start { thread in
            attached.raise()
            while !mayPoll.isRaised { sched_yield() }
            while !done.isRaised { Safepoint.poll(thread) }
        }
        eventually("attached") { attached.isRaised }
        let hasPassed = Shared()
        let waiter = Running {
            Reclamation.synchronize()
            hasPassed.raise()
        }
        for _ in 0..<200 { sched_yield() }
        #expect(!hasPassed.isRaised)
        mayPoll.raise()
        waiter.join()
        #expect(hasPassed.isRaised)
        done.raise()
        reader.join()

        let sleeper = try interpreter.make()
        try Attachment.attach(sleeper)
        Attachment.detach(sleeper)
        Reclamation.synchronize()  // returns, though `sleeper` never polls
        try Attachment.attach(sleeper)
        try Roster.clear(sleeper, by: sleeper)
        Roster.deleteCurrent(sleeper)
        runtime.end()
    }

    @Test func `a stop never waits for a grace period, nor the other way round`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            Running { Reclamation.synchronize() }.join()
            stopped.resume()
            #expect(sp_rcu_is_online() != 0)
            Safepoint.poll(thread)
        }
        runtime.end()
    }

    @Test func `due merges and collections run at the safepoint, or on the service thread`() throws {
        var hooks = ThreadHooks()
        hooks.merge = { _, _ in mergedCount.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        hooks.collect = { _, _ in collectedCount.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        let runtime = try TestRuntime(hooks: hooks)
        let interpreter = try runtime.makeInterpreter()
        let thread = try interpreter.make()
        try Attachment.attach(thread)
        thread.setDue(ThreadWord.mergeDue | ThreadWord.collectionDue)
        Safepoint.poll(thread)
        #expect(mergedCount.load(ordering: .acquiring) == 1)
        #expect(collectedCount.load(ordering: .acquiring) == 1)
        Safepoint.poll(thread)
        #expect(mergedCount.load(ordering: .acquiring) == 1)
        thread.setDue(ThreadWord.mergeDue | ThreadWord.collectionDue)
        Attachment.detach(thread)
        eventually("done by the service thread") {
            mergedCount.load(ordering: .acquiring) == 2
                && collectedCount.load(ordering: .acquiring) == 2
        }
        try Attachment.attach(thread)
        #expect(word(of: thread) == ThreadWord.attached)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        runtime.end()
    }

    @Test func `a child of a fork with registered, detached threads runs grace periods`() throws {
        let runtime = try TestRuntime()
        let interpreter = try runtime.makeInterpreter()
        let done = Shared()
        let attached = Shared()
        let threads = (0..<3).map { number in
            interpreter.start { thread in
                attached.add()
                if number == 0 {
                    while !done.isRaised { Safepoint.poll(thread) }
                } else {
                    Attachment.detach(thread)
                    while !done.isRaised { sched_yield() }
                    try! Attachment.attach(thread)
                }
            }
        }
        eventually("attached") { attached.value == 3 }
        try! Reclamation.registerReader()
        #expect(sp_rcu_reader_count() >= 4)
        let child = sp_fork()
        if child == 0 {
            // Only this thread's record is left; a grace period ends, and its stack memory may be used again.
            let count = sp_rcu_reader_count()
            Reclamation.synchronize()
            _exit(count == 1 ? 0 : 3)
        }
        var status: Int32 = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0)
        #expect(sp_rcu_reader_count() >= 4)  // ours; those of other tests come and go
        Reclamation.synchronize()
        done.raise()
        for thread in threads { thread.join() }
        runtime.end()
    }
}
