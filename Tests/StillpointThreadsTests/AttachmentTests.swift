import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Testing

@testable import StillpointThreads

@Suite struct AttachmentTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
    }

    @Test func `a thread state goes from detached to attached and back`() throws {
        let thread = try interpreter.make()
        #expect(state(of: thread) == ThreadWord.detached)
        #expect(Attachment.current == nil)
        for _ in 0..<3 {  // the first time binds, the others take the fast path
            try Attachment.attach(thread)
            #expect(word(of: thread) == ThreadWord.attached)
            #expect(Attachment.current == thread)
            Attachment.detach(thread)
            #expect(word(of: thread) == ThreadWord.detached)
            #expect(Attachment.current == nil)
        }
        try Attachment.attach(thread)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        #expect(Attachment.current == nil)
        runtime.end()
    }

    @Test func `attaching a second state to a thread is refused`() throws {
        let other = try interpreter.make()
        try interpreter.withThread { thread in
            #expect(throws: ThreadStateError.alreadyAttached) { try Attachment.attach(thread) }
            #expect(throws: ThreadStateError.alreadyAttached) { try Attachment.attach(other) }
            #expect(Attachment.current == thread)
        }
        Roster.deleteUnused(other)
        runtime.end()
    }

    @Test func `a thread state is bound to the thread that attached it first`() throws {
        nonisolated(unsafe) let thread = try interpreter.make()
        try Attachment.attach(thread)
        Attachment.detach(thread)
        let seen = Shared()
        Running {
            do throws(ThreadStateError) {
                try Attachment.attach(thread)
            } catch {
                if error == .boundToAnotherThread { seen.raise() }
            }
        }.join()
        #expect(seen.isRaised)
        try Attachment.attach(thread)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        runtime.end()
    }

    @Test func `detaching what is not attached ends the process and says so`() async {
        runtime.end()
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let runtime = try TestRuntime()
            let thread = try runtime.makeInterpreter().make()
            Attachment.detach(thread)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("detach: this thread state is not attached on this thread"))
    }

    @Test func `one thread has a state in each of two interpreters, one attached at a time`() throws {
        let second = try runtime.makeInterpreter()
        let a = try interpreter.make()
        let b = try second.make()
        for _ in 0..<3 {
            try Attachment.attach(a)
            Attachment.detach(a)
            try Attachment.attach(b)
            #expect(throws: ThreadStateError.alreadyAttached) { try Attachment.attach(a) }
            Attachment.detach(b)
        }
        for thread in [a, b] {
            try Attachment.attach(thread)
            try Roster.clear(thread, by: thread)
            Roster.deleteCurrent(thread)
        }
        runtime.end()
    }

    @Test func `a state is cleared by its own interpreter alone`() throws {
        let second = try runtime.makeInterpreter()
        let target = try interpreter.make()
        try second.withThread { thread in
            #expect(throws: ThreadStateError.wrongInterpreter) {
                try Roster.clear(target, by: thread)
            }
        }
        #expect(throws: ThreadStateError.notAttached) { try Roster.clear(target, by: target) }
        try interpreter.withThread { thread in
            try Roster.clear(target, by: thread)
            #expect(throws: ThreadStateError.cleared) { try Roster.clear(target, by: thread) }
        }
        #expect(throws: ThreadStateError.cleared) { try Attachment.attach(target) }
        Roster.delete(target)
        runtime.end()
    }

    @Test func `a state that is attached elsewhere is not cleared`() throws {
        let attached = Shared()
        let done = Shared()
        nonisolated(unsafe) var target: Thread?
        let running = interpreter.start { thread in
            target = thread
            attached.raise()
            while !done.isRaised { Safepoint.poll(thread) }
        }
        eventually("attached") { attached.isRaised }
        try interpreter.withThread { thread in
            #expect(throws: ThreadStateError.stillAttached) {
                try Roster.clear(target!, by: thread)
            }
        }
        done.raise()
        running.join()
        runtime.end()
    }

    @Test func `a closed interpreter refuses new, detached and waiting threads`() throws {
        let thread = try interpreter.make()
        try Attachment.attach(thread)
        Attachment.detach(thread)
        let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        let refused = Shared()
        nonisolated(unsafe) let waiter = try interpreter.make()
        let running = Running {
            do throws(ThreadStateError) {
                try Attachment.attach(waiter)
            } catch {
                if error == .shuttingDown { refused.raise() }
            }
        }
        eventually("waiting") { word(of: waiter) & ThreadWord.isWaiting != 0 }
        Roster.close(interpreter.roster)
        running.join()
        #expect(refused.isRaised)
        stopped.resume()
        #expect(throws: ThreadStateError.shuttingDown) { try Attachment.attach(thread) }
        #expect(throws: ThreadStateError.shuttingDown) { try interpreter.make() }
        for state in [thread, waiter] { Roster.deleteUnused(state) }
        runtime.end()
    }

    @Test func `withThreadHeld works on a detached thread of the same interpreter alone`() throws {
        let target = try interpreter.make()
        let second = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            var ran = false
            let wasHeld = try withThreadHeld(target, by: thread) {
                ran = state(of: target) == ThreadWord.suspended
            }
            #expect(wasHeld && ran)
            #expect(state(of: target) == ThreadWord.detached)
            let heldItself = try withThreadHeld(thread, by: thread) {}
            #expect(!heldItself)
        }
        try second.withThread { thread in
            #expect(throws: ThreadStateError.wrongInterpreter) {
                try withThreadHeld(target, by: thread) {}
            }
        }
        Roster.deleteUnused(target)
        runtime.end()
    }

    @Test func `a thread state is not deleted while another thread holds it`() throws {
        nonisolated(unsafe) let target = try interpreter.make()
        let isDeleted = Shared()
        var deleter: Running?
        try interpreter.withThread { thread in
            try withThreadHeld(target, by: thread) {
                deleter = Running {
                    Roster.deleteUnused(target)
                    isDeleted.raise()
                }
                for _ in 0..<rounds(10_000) { SystemThread.yield() }
                #expect(!isDeleted.isRaised)
            }
        }
        deleter?.join()
        runtime.end()
    }

    @Test func `an attached thread deletes an unused thread state while a stop waits for it`() throws {
        let target = try interpreter.make()
        try interpreter.withThread { thread in
            let stopper = Running {
                try! StopTheWorld.begin(self.runtime.world, scope: nil).resume()
            }
            eventually("the stop asks") { word(of: thread) & ThreadWord.stopRequested != 0 }
            Roster.deleteUnused(target)
            Safepoint.poll(thread)
            stopper.join()
        }
        runtime.end()
    }

    @Test func `a thread let go by a stop and then held runs before the next stop asks`() throws {
        // The thread waits, is let go and counted, is held before it could attach; a second stop has its turn
        // meanwhile and waits for it. When the hold ends it must be able to attach, or both wait for ever.
        let target = try interpreter.make()
        let first = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        target.pointee.participant.word.bitwiseOr(ThreadWord.isWaiting, ordering: .relaxed)
        first.resume()
        #expect(word(of: target) == ThreadWord.detached | ThreadWord.isResumed)
        #expect(HeldThread.take(target))
        let hasStopped = Shared()
        let stopper = Running {
            let second = try! StopTheWorld.begin(
                self.runtime.world, scope: self.interpreter.roster)
            hasStopped.raise()
            second.resume()
        }
        eventually("the second stop's turn") {
            runtime.world.pointee.roll.withLock { World.isStopActive(over: interpreter.roster) }
        }
        HeldThread.letGo(target)
        try Attachment.attach(target)
        eventually("stopped while we poll") {
            Safepoint.poll(target)
            return hasStopped.isRaised
        }
        stopper.join()
        try Roster.clear(target, by: target)
        Roster.deleteCurrent(target)
        runtime.end()
    }

    @Test func `a thread that ends attached ends the process and says so`() async {
        runtime.end()
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let runtime = try TestRuntime()
            nonisolated(unsafe) let thread = try runtime.makeInterpreter().make()
            Running { try! Attachment.attach(thread) }.join()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a thread ended with its thread state attached"))
    }

    @Test func `a state that its owner has cleared attaches no more`() throws {
        let thread = try interpreter.make()
        try Attachment.attach(thread)
        try Roster.clear(thread, by: thread)
        Attachment.detach(thread)
        #expect(throws: ThreadStateError.cleared) { try Attachment.attach(thread) }
        Roster.delete(thread)
        runtime.end()
    }

    @Test func `a thread that gets the identity of one that is gone does not get its state`() throws {
        // The C library gives the memory of an ended thread, thread register and all, to the next one.
        nonisolated(unsafe) let thread = try interpreter.make()
        Running {
            try! Attachment.attach(thread)
            Attachment.detach(thread)
        }.join()
        let refused = Shared()
        for _ in 0..<4 {
            Running {
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    Attachment.detach(thread)
                } catch {
                    if error == .boundToAnotherThread { refused.add() }
                }
            }.join()
        }
        #expect(refused.value == 4)
        try interpreter.withThread { try Roster.clear(thread, by: $0) }
        Roster.delete(thread)
        runtime.end()
    }

    @Test func `a resumed thread that is deleted before it ran holds up no stop`() throws {
        let target = try interpreter.make()
        let first = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        target.pointee.participant.word.bitwiseOr(ThreadWord.isWaiting, ordering: .relaxed)
        first.resume()
        try interpreter.withThread { try Roster.clear(target, by: $0) }
        Roster.delete(target)
        try StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume()
        runtime.end()
    }
}
