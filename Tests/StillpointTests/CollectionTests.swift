import Foundation
import Stillpoint
import StillpointTestSupport
import Testing

@Suite struct CollectionTests {
    @Test func `the example of the README reclaims the cycle that two threads made`() throws {
        let report = try friendsAcrossThreads()
        #expect(report.objectsFreed == 2)
        #expect(report.cyclicObjectsFreed == 2)
        #expect(report.objectsFound == 2)
    }

    @Test func `an object that refers to itself is collected`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            let node = try thread.make(world.nodes, Node())
            node.store(node, into: \.next, by: thread)
            node.end(by: thread)
            let report = try thread.collect()
            #expect(report.objectsFreed == 1)
            #expect(report.cyclicObjectsFreed == 1)
            #expect(try thread.collect().objectsFound == 0)
        }
        #expect(try world.end().isClean)
    }

    @Test func `every ring of 1 to 64 objects is collected, and what it refers to only if nothing else does`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            let kept = try thread.make(world.nodes, Node(number: -1))
            for count in 1...64 {
                let first = try thread.make(world.nodes, Node(number: 0, other: Field(kept)))
                var last = try first.copy(by: thread)
                for number in 1..<count {
                    let next = try thread.make(world.nodes, Node(number: number, other: Field(kept)))
                    last.store(next, into: \.next, by: thread)
                    last = next
                }
                last.store(first, into: \.next, by: thread)
                let tail = try thread.make(world.nodes, Node())
                last.store(tail, into: \.other, by: thread)
                tail.end(by: thread)
                #expect(try thread.collect().objectsFreed == 0)
                last.end(by: thread)
                first.end(by: thread)
                let report = try thread.collect()
                #expect(report.objectsFreed == count + 1)
                #expect(report.objectsKept == 1)
                #expect(report.rootCount == 1)
            }
            #expect(kept.read(\.number, by: thread) == -1)
        }
        #expect(try world.end().isClean)
    }

    @Test func `cycles of threads that have exited are collected, and handles keep theirs`() throws {
        let world = try World()
        let nodes = world.nodes
        let ringCount = 16
        try world.interpreter.withThread { thread in
            let list = try thread.makeList()
            for _ in 0..<ringCount {
                let started = try world.interpreter.startThread(list.copy(by: thread)) { thread, list in
                    // One ring that is dropped, one that the list keeps.
                    for isKept in [false, true] {
                        let a = try thread.make(nodes, Node(number: 1))
                        let b = try thread.make(nodes, Node(number: 2, next: Field(a)))
                        a.store(b, into: \.next, by: thread)
                        if isKept { try list.append(a, by: thread) }
                    }
                }
                try started.join()
            }
            let report = try thread.collect()
            #expect(report.objectsFreed == 2 * ringCount)
            #expect(report.cyclicObjectsFreed == 2 * ringCount)
            #expect(list.count(by: thread) == ringCount)
            for index in 0..<ringCount {
                let a = try list.load(index, as: nodes, by: thread)!
                let b = try a.load(\.next, by: thread)!
                #expect(b.read(\.number, by: thread) == 2)
                #expect(try b.load(\.next, by: thread)!.isSame(as: a, by: thread) == true)
            }
            list.end(by: thread)
            #expect(try thread.collect().objectsFreed == 2 * ringCount)
        }
        #expect(try world.end().isClean)
    }

    @Test func `a chain of 200,000 objects is marked and freed without recursion`() throws {
        let world = try World { $0.verifiesCollections = false }
        let length = rounds(200_000)
        try world.interpreter.withThread { thread in
            let last = try thread.make(world.nodes, Node())
            var first = try last.copy(by: thread)
            for _ in 1..<length {
                first = try thread.make(world.nodes, Node(next: Field(first)))
            }
            last.store(first, into: \.next, by: thread)  // a ring
            last.end(by: thread)
            #expect(try thread.collect().objectsFound == length)
            first.end(by: thread)
            let report = try thread.collect()
            #expect(report.objectsFreed == length)
            #expect(report.bytesKept == 0)
        }
        #expect(try world.end().isClean)
    }

    @Test func `two threads that collect at once both get a report that covers what they dropped`() throws {
        let world = try World()
        let nodes = world.nodes
        let turns = rounds(200)
        let threads = 2
        var started: [StartedBox] = []
        let freed = Total()
        for _ in 0..<threads {
            started.append(
                StartedBox(
                    try world.interpreter.startThread { thread in
                        for turn in 0..<turns {
                            let before = try thread.interpreter.statistics().collectionCount
                            let a = try thread.make(nodes, Node(number: turn))
                            a.store(a, into: \.next, by: thread)
                            a.end(by: thread)
                            let report = try thread.collect()
                            #expect(report.number > UInt64(before))
                            freed.note(report)
                        }
                    }))
        }
        for thread in started { try thread.join() }
        #expect(freed.objects == threads * turns)
        #expect(try world.end().isClean)
    }

    @Test func `an interpreter whose threads are all detached is collected`() throws {
        let world = try World()
        let nodes = world.nodes
        let detached = Signal(), done = Signal()
        let started = try world.interpreter.startThread { thread in
            let a = try thread.make(nodes, Node())
            a.store(a, into: \.next, by: thread)
            a.end(by: thread)
            let kept = try thread.make(nodes, Node(number: 5))
            thread.detached {
                detached.set()
                eventually { done.isSet }
            }
            #expect(kept.read(\.number, by: thread) == 5)
        }
        eventually { detached.isSet }
        let report = try world.interpreter.collect()
        #expect(report.objectsFreed == 1)
        #expect(report.objectsKept == 1)
        done.set()
        try started.join()
        #expect(try world.end().isClean)
    }

    @Test func `a payload that is collected is destroyed once, outside the pause`() throws {
        let world = try World()
        let counted = try world.runtime.makeType(Counted.self)
        let tally = Tally()
        try world.interpreter.withThread { thread in
            for count in 1...8 {
                let first = try thread.make(counted, Counted(tally))
                var last = try first.copy(by: thread)
                for _ in 1..<count {
                    let next = try thread.make(counted, Counted(tally))
                    last.store(next, into: \.next, by: thread)
                    last = next
                }
                last.store(first, into: \.next, by: thread)
            }
            let total = (1...8).reduce(0, +)
            #expect(tally.made.load(ordering: .relaxed) == total)
            #expect(tally.ended.load(ordering: .relaxed) == 0)
            let report = try thread.collect()
            #expect(report.objectsFreed == total)
            #expect(report.objectsDestroyedAfterPause == total)
            #expect(tally.ended.load(ordering: .relaxed) == total)
            #expect(try thread.collect().objectsFound == 0)
        }
        #expect(try world.end().isClean)
    }

    @Test func `a collection becomes due by itself when enough was allocated`() throws {
        let world = try World {
            $0.minimumCollectionByteCount = 1 << 20
            $0.verifiesCollections = false
        }
        try world.interpreter.withThread { thread in
            // Rings are dropped until a collection has happened; a megabyte of them is due long before the limit.
            var made = 0
            while try world.interpreter.statistics().collectionCount == 0 {
                for _ in 0..<1000 {
                    let a = try thread.make(world.nodes, Node())
                    a.store(a, into: \.next, by: thread)
                    a.end(by: thread)
                    thread.safepoint()
                    made += 1
                }
                try #require(made < 1_000_000)
            }
            #expect(try world.interpreter.statistics().objectsFreedByCollections > 0)
        }
        #expect(try world.end().isClean)
    }

    @Test func `a collection inside one's own stop is refused`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            try thread.withWorldStopped {
                _ = #expect(throws: RuntimeError.thread(.stopInsideStop)) { try world.interpreter.collect() }
            }
            try world.runtime.withWorldStopped {
                _ = #expect(throws: RuntimeError.thread(.stopInsideStop)) { try world.interpreter.collect() }
            }
            try thread.collect()
        }
        try world.end()
    }

    @Test func `containers in cycles are collected with what they hold`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            let list = try thread.makeList()
            let dictionary = try thread.makeDictionary()
            let array = try thread.makeArray(count: 3)
            try list.append(dictionary, by: thread)
            try dictionary.insert("array", array, by: thread)
            array.store(list, at: 1, by: thread)
            for number in 0..<100 {
                let node = try thread.make(world.nodes, Node(number: number))
                try list.append(node, by: thread)
                try dictionary.insert("node \(number)", node, by: thread)
            }
            #expect(try thread.collect().objectsFreed == 0)
            list.end(by: thread)
            dictionary.end(by: thread)
            array.end(by: thread)
            let report = try thread.collect()
            #expect(report.objectsFreed == report.objectsFound)
            #expect(report.cyclicObjectsFreed == report.objectsFreed)
            #expect(try world.interpreter.statistics().objectCount == 0)
        }
        #expect(try world.end().isClean)
    }
}

/// What several threads' collections freed, each collection counted once.
final class Total: @unchecked Sendable {
    private let lock = NSLock()
    private var byNumber: [UInt64: Int] = [:]

    func note(_ report: CollectionReport) {
        lock.withLock { byNumber[report.number] = report.objectsFreed }
    }

    var objects: Int { lock.withLock { byNumber.values.reduce(0, +) } }
}

/// A started thread in an array.
final class StartedBox {
    private var thread: StartedThread?
    init(_ thread: consuming StartedThread) { self.thread = consume thread }
    func join() throws { try thread.take()!.join() }
}
