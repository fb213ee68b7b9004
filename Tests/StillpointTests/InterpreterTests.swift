import Foundation
import Stillpoint
import StillpointTestSupport
import Testing

@Suite struct InterpreterTests {
    @Test func `two interpreters are collected and counted apart`() throws {
        let world = try World()
        let second = try world.runtime.makeInterpreter(name: "second")
        try second.withThread { thread in
            let kept = try thread.make(world.nodes, Node(number: 2))
            let ring = try thread.make(world.nodes, Node())
            ring.store(ring, into: \.next, by: thread)
            ring.end(by: thread)
            try thread.detached {
                try world.interpreter.withThread { thread in
                    let ring = try thread.make(world.nodes, Node())
                    ring.store(ring, into: \.next, by: thread)
                    ring.end(by: thread)
                    let report = try thread.collect()
                    #expect(report.objectsFound == 1)
                    #expect(report.objectsFreed == 1)
                }
            }
            #expect(try second.statistics().objectCount == 2)
            #expect(try thread.collect().objectsFreed == 1)
            #expect(kept.read(\.number, by: thread) == 2)
            #expect(try world.interpreter.statistics().objectCount == 0)
        }
        #expect(try second.shutdown().isClean)
        #expect(try world.end().isClean)
    }

    @Test func `a stop of one interpreter leaves the other running, a stop of all stops both`() throws {
        let world = try World()
        let second = try world.runtime.makeInterpreter()
        let done = Signal()
        let first = Signal(), other = Signal()
        let a = try world.interpreter.startThread { thread in
            while !done.isSet { first.add(); thread.safepoint() }
        }
        let b = try second.startThread { thread in
            while !done.isSet { other.add(); thread.safepoint() }
        }
        eventually { first.count > 0 && other.count > 0 }
        try world.interpreter.withWorldStopped {
            let (stood, ran) = (first.count, other.count)
            eventually { other.count > ran + 100 }
            #expect(first.count == stood)
        }
        let stopped = try second.stopWorld()
        let (ran, stood) = (first.count, other.count)
        eventually { first.count > ran + 100 }
        #expect(other.count == stood)
        stopped.resume()
        try world.runtime.withWorldStopped {
            let counts = (first.count, other.count)
            for _ in 0..<100 { sched_yield() }
            #expect((first.count, other.count) == counts)
        }
        done.set()
        try a.join()
        try b.join()
        #expect(world.interpreter.pauses.count == 1)
        #expect(second.timeToSafepoint.count == 1)
        #expect(world.runtime.pauses.count == 3)
        try second.shutdown()
        try world.end()
        #expect(world.runtime.pauses.count > 3, "the last collections stop, too, and the figures stay")
    }

    @Test func `under a lock of its own at most one thread is attached`() throws {
        let world = try World(lock: .own)
        try checkExclusion(of: [world.interpreter])
        #expect(try world.end().isClean)
    }

    @Test func `under a shared lock at most one thread of all that share it is attached`() throws {
        let world = try World(lock: .own)
        let second = try world.runtime.makeInterpreter(lock: .shared(with: world.interpreter))
        try checkExclusion(of: [world.interpreter, second])
        try second.shutdown()
        #expect(try world.end().isClean)
    }

    @Test func `the options say which lock an interpreter gets that is not told`() throws {
        let world = try World { $0.interpreterLock = .shared }
        let second = try world.runtime.makeInterpreter()
        try checkExclusion(of: [world.interpreter, second])
        let free = try world.runtime.makeInterpreter(lock: .none)
        #expect(throws: RuntimeError.noLockToShare) {
            try world.runtime.makeInterpreter(lock: .shared(with: free))
        }
        for interpreter in [second, free] { try interpreter.shutdown() }
        try world.end()
    }

    private func checkExclusion(of interpreters: [Interpreter]) throws {
        let inside = Exclusion()
        let threads = try (0..<4).map { number in
            StartedBox(
                try interpreters[number % interpreters.count].startThread { thread in
                    for turn in 0..<rounds(2000) {
                        inside.enter()
                        inside.leave()
                        thread.safepoint()
                        if turn % 8 == 0 { thread.detached { _ = sched_yield() } }
                    }
                })
        }
        for thread in threads { try thread.join() }
        #expect(inside.overlaps == 0)
    }

    @Test func `without a lock threads are attached at the same time`() throws {
        let world = try World()
        let arrived = Signal()
        let threads = try (0..<2).map { _ in
            StartedBox(
                try world.interpreter.startThread { thread in
                    arrived.add()
                    while arrived.count < 2 { thread.safepoint() }
                })
        }
        for thread in threads { try thread.join() }
        #expect(try world.end().isClean)
    }

    @Test func `a lock is shared with an interpreter that has one, of the same runtime`() throws {
        let world = try World()
        #expect(throws: RuntimeError.noLockToShare) {
            try world.runtime.makeInterpreter(lock: .shared(with: world.interpreter))
        }
        let other = try World(lock: .own)
        #expect(throws: RuntimeError.noLockToShare) {
            try world.runtime.makeInterpreter(lock: .shared(with: other.interpreter))
        }
        try other.end()
        try world.end()
    }

    @Test func `statistics count objects by type exactly`() throws {
        let world = try World()
        let counted = try world.runtime.makeType(Counted.self, name: "counted payload")
        let tally = Tally()
        try world.interpreter.withThread { thread in
            let list = try thread.makeList()
            for number in 0..<37 {
                try list.append(thread.make(world.nodes, Node(number: number)), by: thread)
            }
            let single = try thread.make(counted, Counted(tally))
            let text = try thread.makeString("what a text")
            #expect(text.string(by: thread) == "what a text")
            let statistics = try world.interpreter.statistics()
            func count(_ name: String) -> Int { statistics.types.first { $0.name == name }?.objectCount ?? 0 }
            #expect(count("Node") == 37)
            #expect(count("counted payload") == 1)
            #expect(count("list") == 1)
            #expect(count("bytes") == 1)
            #expect(statistics.handleCount == 3)
            #expect(statistics.objectCount == statistics.types.map(\.objectCount).reduce(0, +))
            #expect(statistics.objectByteCount == statistics.types.map(\.byteCount).reduce(0, +))
            single.end(by: thread)
            #expect(tally.ended.load(ordering: .relaxed) == 1)
            #expect(try world.interpreter.statistics().objectCount == statistics.objectCount - 1)
        }
        #expect(try world.end().isClean)
    }

    @Test func `memory of dropped objects goes back to the system`() throws {
        let world = try World { $0.verifiesCollections = false }
        try world.interpreter.withThread { thread in
            let list = try thread.makeList()
            for number in 0..<rounds(100_000) {
                try list.append(thread.make(world.nodes, Node(number: number)), by: thread)
            }
            let full = try world.interpreter.statistics()
            list.end(by: thread)
            try thread.collect()
            let empty = try world.interpreter.statistics()
            #expect(empty.objectCount == 0)
            #expect(empty.committedByteCount < full.committedByteCount / 2 + (4 << 20))
        }
        try world.end()
    }
}

/// Counts how often a thread is inside while another is.
final class Exclusion: @unchecked Sendable {
    private let lock = NSLock()
    private var inside = 0
    private(set) var overlaps = 0

    func enter() {
        lock.withLock {
            inside += 1
            if inside > 1 { overlaps += 1 }
        }
    }

    func leave() { lock.withLock { inside -= 1 } }
}
