import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointThreads

@Suite struct InterpreterLockTests {
    @Test func `at most one thread of an interpreter with a lock is attached, and each gets its turn`() throws {
        let runtime = try TestRuntime()
        let lock = try InterpreterLock.make()
        let interpreter = try runtime.makeInterpreter(lock: lock)
        let inside = Shared()
        let done = Shared()
        let counters = (0..<3).map { _ in Shared() }
        let threads = counters.map { counter in
            interpreter.start { thread in
                while !done.isRaised {
                    let before = inside.add(1)
                    #expect(before == 1)
                    counter.add()
                    inside.add(-1)
                    Safepoint.poll(thread)
                }
            }
        }
        for counter in counters { eventually("a turn") { counter.value > 10 } }
        done.raise()
        for thread in threads { thread.join() }
        runtime.end()
        InterpreterLock.destroy(lock)
    }

    @Test func `a shared lock excludes the threads of two interpreters`() throws {
        let runtime = try TestRuntime()
        let lock = try InterpreterLock.make()
        let interpreters = [
            try runtime.makeInterpreter(lock: lock), try runtime.makeInterpreter(lock: lock),
        ]
        let inside = Shared()
        let threads = (0..<4).map { number in
            interpreters[number % 2].start { thread in
                for _ in 0..<rounds(200) {
                    #expect(inside.add(1) == 1)
                    inside.add(-1)
                    Attachment.detach(thread)
                    try! Attachment.attach(thread)
                }
            }
        }
        for thread in threads { thread.join() }
        runtime.end()
        InterpreterLock.destroy(lock)
    }

    @Test func `stopping is nothing for the holder of a lock that excludes all, and real for others`() throws {
        let runtime = try TestRuntime()
        let lock = try InterpreterLock.make()
        let interpreter = try runtime.makeInterpreter(lock: lock)
        let done = Shared()
        let shared = Shared()
        let worker = interpreter.start { thread in
            while !done.isRaised {
                shared.add()
                Safepoint.poll(thread)
            }
        }
        eventually("work") { shared.value > 0 }
        try interpreter.withThread { thread in
            let count = runtime.world.pointee.pause.snapshot().count
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            let before = shared.value
            Safepoint.poll(thread)  // inside a stop: nothing, the lock is kept
            #expect(shared.value == before)
            stopped.resume()
            #expect(runtime.world.pointee.pause.snapshot().count == count)
        }
        let stopped = try StopTheWorld.begin(runtime.world, scope: nil)
        let before = shared.value
        #expect(runtime.world.pointee.pause.snapshot().count == 0)
        stopped.resume()
        #expect(runtime.world.pointee.pause.snapshot().count == 1)
        eventually("work goes on") { shared.value > before }
        done.raise()
        worker.join()
        runtime.end()
        InterpreterLock.destroy(lock)
    }

    @Test func `stops of all and locks do not deadlock`() throws {
        let runtime = try TestRuntime()
        let lock = try InterpreterLock.make()
        let locked = try runtime.makeInterpreter(lock: lock)
        let free = try runtime.makeInterpreter()
        let threads = (0..<4).map { number in
            [locked, free][number % 2].start { thread in
                for turn in 0..<rounds(200) {
                    Safepoint.poll(thread)
                    if turn % 8 == number {
                        try! StopTheWorld.begin(runtime.world, scope: nil).resume()
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        runtime.end()
        InterpreterLock.destroy(lock)
    }
}
