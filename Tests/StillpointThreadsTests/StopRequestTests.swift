import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointThreads

/// Who may ask for a stop, from where, and what a stop inside a stop is.
@Suite struct StopRequestTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
    }

    @Test func `a stop inside a stop is nothing if covered, and else an error`() throws {
        let second = try runtime.makeInterpreter()
        let world = runtime.world
        for hasThread in [false, true] {
            let body = {
                let own = try StopTheWorld.begin(world, scope: self.interpreter.roster)
                try StopTheWorld.begin(world, scope: self.interpreter.roster).resume()
                #expect(throws: ThreadStateError.stopInsideStop) {
                    try StopTheWorld.begin(world, scope: nil).resume()
                }
                #expect(throws: ThreadStateError.stopInsideStop) {
                    try StopTheWorld.begin(world, scope: second.roster).resume()
                }
                own.resume()
                let all = try StopTheWorld.begin(world, scope: nil)
                try StopTheWorld.begin(world, scope: nil).resume()
                try StopTheWorld.begin(world, scope: self.interpreter.roster).resume()
                all.resume()
            }
            if hasThread {
                try interpreter.withThread { thread in
                    try body()
                    #expect(word(of: thread) == ThreadWord.attached)
                }
            } else {
                try body()
            }
        }
        runtime.end()
    }

    @Test func `a stop of another interpreter inside a stop of all is covered`() throws {
        let second = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            let all = try StopTheWorld.begin(runtime.world, scope: nil)
            try StopTheWorld.begin(runtime.world, scope: second.roster).resume()
            #expect(state(of: thread) == ThreadWord.attached)
            all.resume()
        }
        runtime.end()
    }

    @Test func `attaching inside a stop of one's own is refused`() throws {
        let thread = try interpreter.make()
        let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
        #expect(throws: ThreadStateError.stopInsideStop) { try Attachment.attach(thread) }
        stopped.resume()
        try Attachment.attach(thread)
        try Roster.clear(thread, by: thread)
        Roster.deleteCurrent(thread)
        runtime.end()
    }

    @Test func `a stop that ends before one inside it ends the process and says so`() async {
        runtime.end()
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let runtime = try TestRuntime()
            let interpreter = try runtime.makeInterpreter()
            let outer = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            let inner = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            outer.resume()
            inner.resume()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a stop ended before one inside it"))
    }

    @Test func `a destroy function cannot stop the world, and its safepoints do nothing`() throws {
        try interpreter.withThread { thread in
            thread.banWaiting()
            #expect(throws: ThreadStateError.insideDestroyFunction) {
                try StopTheWorld.begin(runtime.world, scope: interpreter.roster).resume()
            }
            thread.setDue(ThreadWord.mergeDue)
            Safepoint.poll(thread)
            #expect(word(of: thread) & ThreadWord.mergeDue != 0)
            thread.allowWaiting()
            Safepoint.poll(thread)
            #expect(word(of: thread) == ThreadWord.attached)
        }
        runtime.end()
    }

    @Test func `a requester of another interpreter is detached meanwhile and attached after`() throws {
        let second = try runtime.makeInterpreter()
        try interpreter.withThread { thread in
            let stopped = try StopTheWorld.begin(runtime.world, scope: second.roster)
            #expect(state(of: thread) == ThreadWord.detached)
            stopped.resume()
            #expect(state(of: thread) == ThreadWord.attached)
            #expect(Attachment.current == thread)
        }
        runtime.end()
    }

    @Test func `two interpreters whose threads stop each other do not deadlock`() throws {
        let second = try runtime.makeInterpreter()
        let pairs = [(interpreter, second), (second, interpreter)]
        let running = pairs.map { own, other in
            own.start { thread in
                for _ in 0..<rounds(500) {
                    try! StopTheWorld.begin(self.runtime.world, scope: other.roster).resume()
                    Safepoint.poll(thread)
                }
            }
        }
        for thread in running { thread.join() }
        runtime.end()
    }

    @Test func `requesters at once take turns, and every stop is exclusive`() throws {
        let inside = Shared()
        let second = try runtime.makeInterpreter()
        let worlds = [interpreter.roster, second.roster, nil]
        nonisolated(unsafe) let scopes = worlds
        let running = (0..<4).map { index in
            Running {
                for round in 0..<rounds(300) {
                    let scope = scopes[(index + round) % 3]
                    let stopped = try! StopTheWorld.begin(self.runtime.world, scope: scope)
                    // Weights: a stop of one counts 1, a stop of all 100.
                    let weight = scope == nil ? 100 : 1
                    let now = inside.add(weight)
                    #expect(now <= 2 || now == 100)
                    inside.add(-weight)
                    stopped.resume()
                }
            }
        }
        for thread in running { thread.join() }
        #expect(inside.value == 0)
        runtime.end()
    }

    @Test func `a stopped world let go by another thread ends the process and says so`() async {
        runtime.end()
        let result = await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let runtime = try TestRuntime()
            let interpreter = try runtime.makeInterpreter()
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            nonisolated(unsafe) var token: StoppedWorld? = consume stopped
            Running { token.take()!.resume() }.join()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("let go by a thread that did not stop it"))
    }
}
