import Foundation
import Stillpoint
import StillpointTestSupport
import Testing

@Suite struct LifeCycleTests {
    /// In a process of its own: what other tests keep resident meanwhile is not these runtimes'.
    @Test func `a thousand runtimes are made and shut down without growth`() async {
        await #expect(processExitsWith: .success) {
            func one() throws {
                let world = try World { $0.verifiesCollections = false }
                let second = try world.runtime.makeInterpreter(lock: .own)
                for interpreter in [world.interpreter, second] {
                    try interpreter.withThread { thread in
                        let a = try thread.make(world.nodes, Node())
                        a.store(a, into: \.next, by: thread)
                    }
                }
                #expect(try second.shutdown().collection.objectsFreed == 1)
                #expect(try world.end().collection.objectsFreed == 1)
            }
            let count = rounds(1000)
            for _ in 0..<count / 4 { try one() }
            let before = try ProcessMemory.residentByteCount()
            for _ in 0..<count { try one() }
            let after = try ProcessMemory.residentByteCount()
            // Sanitizers keep memory of their own, so the bound is wide; a runtime that leaked its heap's one touched
            // segment would pass it many times over.
            #expect(after - before < count * 16 * 1024 + (64 << 20))
        }
    }

    @Test func `ten thousand interpreters of one runtime leave nothing behind`() throws {
        let world = try World { $0.verifiesCollections = false }
        for _ in 0..<rounds(10_000) {
            let interpreter = try world.runtime.makeInterpreter()
            let report = try interpreter.shutdown()
            if !report.isClean { Issue.record("\(report)") }
        }
        try world.end()
    }

    @Test func `a runtime with interpreters left is not shut down`() throws {
        let world = try World()
        let second = try world.runtime.makeInterpreter()
        #expect(throws: RuntimeError.stillInUse(count: 2)) { try world.runtime.shutdown() }
        _ = try second.shutdown()
        #expect(throws: RuntimeError.stillInUse(count: 1)) { try world.runtime.shutdown() }
        try world.end()
        #expect(throws: RuntimeError.shuttingDown) { try world.runtime.shutdown() }
        #expect(throws: RuntimeError.shuttingDown) { try world.runtime.makeInterpreter() }
        #expect(throws: RuntimeError.shuttingDown) { try world.interpreter.shutdown() }
        #expect(throws: RuntimeError.shuttingDown) { try world.interpreter.collect() }
        #expect(throws: RuntimeError.shuttingDown) { try world.interpreter.statistics() }
        #expect(throws: RuntimeError.shuttingDown) { _ = try world.interpreter.stopWorld() }
    }

    @Test func `attaching and starting after shutdown began is an error, who is inside goes on`() throws {
        let world = try World()
        let interpreter = world.interpreter
        let inside = Signal(), isOver = Signal()
        let nodes = world.nodes
        let host = try interpreter.makeHostThread()
        let started = try interpreter.startThread { thread in
            inside.set()
            // Detach and attach until the gate has been seen closing, then a little more.
            var left = 100
            while left > 0 {
                thread.detached { _ = sched_yield() }
                let node = try thread.make(nodes, Node())
                node.end(by: thread)
                if isOver.isSet { left -= 1 }
            }
            try thread.withWorldStopped {}
            try thread.collect()
        }
        eventually { inside.isSet }
        let closing = ClosingThread(interpreter)
        eventually {
            do {
                try interpreter.withThread { _ in }
                return false
            } catch {
                #expect(error as? RuntimeError == .shuttingDown)
                return true
            }
        }
        #expect(throws: RuntimeError.shuttingDown) { try interpreter.startThread { _ in } }
        #expect(throws: RuntimeError.shuttingDown) { try host.attach() }
        #expect(throws: RuntimeError.shuttingDown) { _ = try interpreter.makeHostThread() }
        #expect(throws: RuntimeError.shuttingDown) { try interpreter.shutdown() }
        isOver.set()
        let report = closing.join()
        #expect(report?.leftHostThreadCount == 1)
        #expect(report?.uncaughtErrors == [])
        let isFinished = started.isFinished
        #expect(isFinished)
        try world.runtime.shutdown()
        try host.end()
    }

    @Test func `what was measured of stops is told while shutdown is under way`() throws {
        let world = try World()
        let interpreter = world.interpreter
        let isOver = Signal()
        try interpreter.withWorldStopped {}
        let before = interpreter.pauses.count
        let started = StartedBox(try interpreter.startThread { thread in wait(for: isOver, thread) })
        let closing = ClosingThread(interpreter)
        eventually {
            do {
                try interpreter.withThread { _ in }
                return false
            } catch { return true }
        }
        #expect(before == 1)
        #expect(interpreter.pauses.count == before)
        #expect(interpreter.timeToSafepoint.count == before)
        isOver.set()
        _ = closing.join()
        try started.join()
        try world.runtime.shutdown()
    }

    @Test func `shutdown says what handles kept, frees it, and runs its destroy functions`() throws {
        let world = try World()
        let counted = try world.runtime.makeType(Counted.self)
        let tally = Tally()
        // Leaked on purpose: ending it after the interpreter is diagnosed.
        let leak = UnsafeMutablePointer<Handle<Counted>>.allocate(capacity: 1)
        keepForever(leak)
        try world.interpreter.withThread { thread in
            let kept = try thread.make(counted, Counted(tally))
            leak.initialize(to: try thread.make(counted, Counted(tally, next: Field(kept))))
            let ring = try thread.make(world.nodes, Node())
            ring.store(ring, into: \.next, by: thread)
        }
        let report = try world.end()
        #expect(report.collection.objectsFreed == 1)
        #expect(report.leakedHandleCount == 1)
        #expect(report.leakedObjectCount == 2)
        #expect(report.leaks.map(\.name) == ["Counted"])
        #expect(report.unfreedBlockCount == 0)
        #expect(!report.isClean)
        #expect(tally.ended.load(ordering: .relaxed) == 2)
    }

    @Test func `shutdown waits for started threads and reports what they threw`() throws {
        struct Failure: Error {}
        let world = try World()
        let gone = Signal()
        for number in 0..<8 {
            try world.interpreter.startThread(name: "worker \(number)") { thread in
                for _ in 0..<1000 { thread.safepoint() }
                gone.add()
                if number == 3 { throw Failure() }
            }
        }
        let joined = StartedBox(try world.interpreter.startThread { _ in throw Failure() })
        #expect(throws: Failure.self) { try joined.join() }
        let report = try world.interpreter.shutdown()
        #expect(gone.count == 8)
        #expect(report.uncaughtErrors == ["worker 3: Failure()"])
        try world.runtime.shutdown()
    }

    @Test func `of threads that finish while others are started, none is forgotten`() throws {
        struct Failure: Error {}
        let world = try World { $0.verifiesCollections = false }
        let count = rounds(2000)
        for _ in 0..<count { try world.interpreter.startThread { _ in throw Failure() } }
        #expect(try world.end().uncaughtErrors.count == count)
    }

    @Test func `host threads attach and detach, and what is left of them is cleared`() throws {
        let world = try World()
        let host = try world.interpreter.makeHostThread()
        for number in 0..<10 {
            try host.attach()
            let node = try host.thread.make(world.nodes, Node(number: number))
            node.store(node, into: \.next, by: host.thread)
            node.end(by: host.thread)
            host.detach()
        }
        try host.withAttached { thread in
            let report = try thread.collect()
            #expect(report.objectsFreed == 10)
        }
        #expect(throws: RuntimeError.thread(.alreadyAttached)) {
            try host.withAttached { _ in try world.interpreter.withThread { _ in } }
        }
        try host.end()
        let left = try world.interpreter.makeHostThread()
        try left.withAttached { thread in _ = try thread.make(world.nodes, Node()) }
        let unused = try world.interpreter.makeHostThread()
        let report = try world.end()
        #expect(report.leftHostThreadCount == 2)
        #expect(report.leakedObjectCount == 0)
        try left.end()
        try unused.end()
    }

    @Test func `a host thread used while it is detached ends the process and says so`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let world = try World()
            let host = try world.interpreter.makeHostThread()
            try host.attach()
            host.thread.safepoint()
            host.detach()
            host.thread.safepoint()
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a host thread used while it is not attached here"))
    }

    @Test func `shutdown from an attached thread is refused`() throws {
        let world = try World()
        try world.interpreter.withThread { _ in
            _ = #expect(throws: RuntimeError.attachedDuringShutdown) { try world.interpreter.shutdown() }
        }
        try world.end()
    }

    @Test func `attaching inside one's own stop is refused`() throws {
        let world = try World()
        try world.interpreter.withWorldStopped {
            #expect(throws: RuntimeError.thread(.stopInsideStop)) {
                try world.interpreter.withThread { _ in }
            }
            #expect(throws: RuntimeError.thread(.stopInsideStop)) { try world.interpreter.shutdown() }
        }
        #expect(try world.end().isClean)
    }

    @Test func `a runtime and an interpreter dropped without shutdown are named on standard error`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            func forget() throws {
                let runtime = try Runtime()
                _ = try runtime.makeInterpreter(name: "forgotten")
            }
            try forget()
            // What it leaks is what it is about: LeakSanitizer, which looks in `exit`, is not asked.
            _exit(EXIT_SUCCESS)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("interpreter \"forgotten\" was dropped without shutdown()"))
        #expect(text.contains("a runtime was dropped without shutdown()"))
    }

    @Test func `a handle that ends after its interpreter ends the process and says so`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let world = try World()
            let late = UnsafeMutablePointer<Handle<Node>>.allocate(capacity: 1)
            try world.interpreter.withThread { thread in
                late.initialize(to: try thread.make(world.nodes, Node()))
            }
            try world.end()
            late.deinitialize(count: 1)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a handle ends after its interpreter"))
    }
}

/// Shuts an interpreter down on an OS thread of its own.
final class ClosingThread: @unchecked Sendable {
    private let finished = DispatchSemaphore(value: 0)
    private var report: ShutdownReport?

    init(_ interpreter: Interpreter) {
        Thread.detachNewThread {
            self.report = try? interpreter.shutdown()
            self.finished.signal()
        }
    }

    func join() -> ShutdownReport? {
        finished.wait()
        return report
    }
}
