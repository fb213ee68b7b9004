import CStillpoint
import StillpointPlatform
import StillpointTestSupport
import Synchronization
import Testing

@testable import StillpointThreads

@Suite struct StopTheWorldTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
    }

    /// Starts threads of `interpreter` that count and poll until `done`.
    private func startPolling(
        _ count: Int, in interpreter: TestInterpreter, counting shared: Shared, until done: Shared
    ) -> [Running] {
        let threads = (0..<count).map { _ in
            interpreter.start { thread in
                while !done.isRaised {
                    shared.add()
                    Safepoint.poll(thread)
                }
            }
        }
        eventually("threads run") { shared.value > count }
        return threads
    }

    @Test(arguments: [1, 2, 3])
    func `no thread advances while the world is stopped`(threadCount: Int) throws {
        let shared = Shared()
        let done = Shared()
        let threads = startPolling(threadCount, in: interpreter, counting: shared, until: done)
        for _ in 0..<rounds(50) {
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            let before = shared.value
            for _ in 0..<100 { sched_yield() }
            #expect(shared.value == before)
            Roster.forEachThread(of: interpreter.roster) {
                #expect(state(of: $0) == ThreadWord.suspended)
            }
            stopped.resume()
            eventually("progress after the stop") { shared.value > before }
        }
        done.raise()
        for thread in threads { thread.join() }
        runtime.end()
    }

    @Test func `a detached thread is taken where it stands`() throws {
        nonisolated(unsafe) let thread = try interpreter.make()
        try Attachment.attach(thread)
        Attachment.detach(thread)
        try Running.tryOn {
            let stopped = try StopTheWorld.begin(self.runtime.world, scope: self.interpreter.roster)
            #expect(state(of: thread) == ThreadWord.suspended)
            stopped.resume()
        }
        // Nobody asked for it, so no later stop visits it; it attaches as before.
        #expect(word(of: thread) == ThreadWord.suspended | ThreadWord.isDormant)
        try Attachment.attach(thread)
        #expect(word(of: thread) == ThreadWord.attached)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        runtime.end()
    }

    @Test func `a dormant thread that attaches in a pause waits for its end`() throws {
        nonisolated(unsafe) let thread = try interpreter.make()
        try StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume()
        #expect(word(of: thread) == ThreadWord.suspended | ThreadWord.isDormant)
        let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        let ran = Shared()
        let running = Running {
            try! Attachment.attach(thread)
            ran.raise()
            try! Roster.clear(thread, by: thread)
            Roster.deleteCurrent(thread)
        }
        eventually("waiting") { word(of: thread) & ThreadWord.isWaiting != 0 }
        #expect(!ran.isRaised)
        stopped.resume()
        running.join()
        runtime.end()
    }

    @Test func `dormant threads are held, cleared, closed and deleted like others`() throws {
        let threads = try (0..<4).map { _ in try interpreter.make() }
        try StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume()
        for thread in threads {
            #expect(word(of: thread) == ThreadWord.suspended | ThreadWord.isDormant)
        }
        try interpreter.withThread { thread in
            #expect(HeldThread.take(threads[0]))
            #expect(word(of: threads[0]) == ThreadWord.suspended | ThreadWord.isHeld)
            HeldThread.letGo(threads[0])
            #expect(word(of: threads[0]) == ThreadWord.detached)
            try Roster.clear(threads[1], by: thread)
        }
        var count = 0
        Roster.forEachThread(of: interpreter.roster) { _ in count += 1 }
        #expect(count == 4)
        Roster.close(interpreter.roster)
        #expect(throws: ThreadStateError.shuttingDown) { try Attachment.attach(threads[2]) }
        Roster.delete(threads[1])
        for index in [0, 2, 3] { Roster.deleteUnused(threads[index]) }
        runtime.end()
    }

    @Test func `a thread that detaches after it was asked tells the stopper`() throws {
        let attached = Shared()
        let mayDetach = Shared()
        let done = Shared()
        nonisolated(unsafe) var target: Thread?
        let running = interpreter.start { thread in
            target = thread
            attached.raise()
            while !mayDetach.isRaised { sched_yield() }  // no poll
            Attachment.detach(thread)
            while !done.isRaised { sched_yield() }
            try! Attachment.attach(thread)
        }
        eventually("attached") { attached.isRaised }
        let hasStopped = Shared()
        let stopper = Running {
            let stopped = try! StopTheWorld.begin(
                self.runtime.world, scope: self.interpreter.roster)
            hasStopped.raise()
            stopped.resume()
        }
        eventually("asked") { word(of: target!) & ThreadWord.stopRequested != 0 }
        #expect(!hasStopped.isRaised)
        mayDetach.raise()
        eventually("stopped") { hasStopped.isRaised }
        done.raise()
        stopper.join()
        running.join()
        runtime.end()
    }

    @Test func `a thread born in a stop is born suspended and runs after it`() throws {
        let stopped = try StopTheWorld.begin(runtime.world, scope: nil)
        nonisolated(unsafe) let thread = try interpreter.make()
        #expect(state(of: thread) == ThreadWord.suspended)
        let ran = Shared()
        let running = Running {
            try! Attachment.attach(thread)
            ran.raise()
            try! Roster.clear(thread, by: thread)
            Roster.deleteCurrent(thread)
        }
        eventually("waiting") { word(of: thread) & ThreadWord.isWaiting != 0 }
        #expect(!ran.isRaised)
        stopped.resume()
        running.join()
        #expect(ran.isRaised)
        runtime.end()
    }

    @Test func `threads that end and are born do not hold up stops`() throws {
        let done = Shared()
        let births = Shared()
        let makers = (0..<2).map { _ in
            Running {
                while !done.isRaised {
                    try! self.interpreter.withThread { thread in
                        births.add()
                        Safepoint.poll(thread)
                    }
                }
            }
        }
        for _ in 0..<rounds(300) {
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            Roster.forEachThread(of: interpreter.roster) {
                #expect(state(of: $0) == ThreadWord.suspended)
            }
            stopped.resume()
        }
        eventually("births") { births.value > 10 }
        done.raise()
        for maker in makers { maker.join() }
        runtime.end()
    }

    @Test func `stops of two interpreters overlap, and a stop of all excludes both`() throws {
        let second = try runtime.makeInterpreter()
        let first = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        let both = Shared()
        let globally = Shared()
        let other = Running {
            let stopped = try! StopTheWorld.begin(self.runtime.world, scope: second.roster)
            both.raise()
            stopped.resume()
        }
        other.join()
        #expect(both.isRaised)
        let global = Running {
            let stopped = try! StopTheWorld.begin(self.runtime.world, scope: nil)
            globally.raise()
            stopped.resume()
        }
        for _ in 0..<100 { sched_yield() }
        #expect(!globally.isRaised)
        first.resume()
        global.join()
        #expect(globally.isRaised)
        runtime.end()
    }

    @Test func `a thread of another interpreter runs on while one is stopped`() throws {
        let second = try runtime.makeInterpreter()
        let shared = Shared()
        let done = Shared()
        let threads = startPolling(1, in: second, counting: shared, until: done)
        let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        let before = shared.value
        eventually("progress of the other interpreter") { shared.value > before + 1000 }
        stopped.resume()
        let all = try StopTheWorld.begin(runtime.world, scope: nil)
        let still = shared.value
        for _ in 0..<100 { sched_yield() }
        #expect(shared.value == still)
        all.resume()
        done.raise()
        for thread in threads { thread.join() }
        runtime.end()
    }

    @Test func `back-to-back stops let every suspended thread run in between`() throws {
        let done = Shared()
        let counters = (0..<8).map { _ in Shared() }
        let workers = counters.map { counter in
            interpreter.start { thread in
                while !done.isRaised {
                    counter.add()
                    Safepoint.poll(thread)
                }
            }
        }
        for counter in counters { eventually("work") { counter.value > 0 } }
        let stops = Shared()
        let stoppers = (0..<2).map { _ in
            Running {
                while !done.isRaised {
                    try! StopTheWorld.begin(
                        self.runtime.world, scope: self.interpreter.roster
                    ).resume()
                    stops.add()
                }
            }
        }
        // W12: whoever waited in a stop has run before the next but one, whatever the scheduler likes.
        let start = counters.map(\.value)
        eventually("every worker, many times") {
            zip(counters, start).allSatisfy { $0.value > $1 + 50 }
        }
        done.raise()
        for thread in workers + stoppers { thread.join() }
        #expect(stops.value > 0)
        runtime.end()
    }

    @Test func `time to safepoint and pauses are counted apart`() throws {
        let before = runtime.world.pointee.pause.snapshot().count
        for _ in 0..<5 {
            try StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume()
        }
        try StopTheWorld.begin(runtime.world, scope: nil).resume()
        #expect(runtime.world.pointee.pause.snapshot().count == before + 6)
        #expect(runtime.world.pointee.timeToSafepoint.snapshot().count == before + 6)
        #expect(interpreter.roster.pointee.pause.snapshot().count == 5)
        runtime.end()
    }

    @Test func `stopping by rescan finds detaching threads too`() throws {
        StopTheWorld.setRescanning(true, in: runtime.world)
        let done = Shared()
        let running = (0..<2).map { _ in
            interpreter.start { thread in
                while !done.isRaised {
                    Attachment.detach(thread)
                    try! Attachment.attach(thread)
                    Safepoint.poll(thread)
                }
            }
        }
        for _ in 0..<rounds(30) {
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            Roster.forEachThread(of: interpreter.roster) {
                #expect(state(of: $0) == ThreadWord.suspended)
            }
            stopped.resume()
        }
        done.raise()
        for thread in running { thread.join() }
        runtime.end()
    }
}

extension Running {
    /// Runs `body` on another OS thread and rethrows.
    static func tryOn(_ body: @escaping @Sendable () throws -> Void) throws {
        nonisolated(unsafe) var failure: (any Error)?
        Running { do { try body() } catch { failure = error } }.join()
        if let failure { throw failure }
    }
}
