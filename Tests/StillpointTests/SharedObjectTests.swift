import Foundation
import Stillpoint
import StillpointTestSupport
import Testing

@Suite struct SharedObjectTests {
    @Test func `a member changed under a critical section by four threads counts exactly`() throws {
        let world = try World()
        let turns = rounds(5000)
        try world.interpreter.withThread { thread in
            let counter = try thread.make(world.nodes, Node())
            let second = try thread.make(world.nodes, Node())
            let threads = try (0..<4).map { number in
                let pair = Pair(first: try counter.copy(by: thread), second: try second.copy(by: thread))
                return StartedBox(
                    try world.interpreter.startThread(pair) { thread, pair in
                        for turn in 0..<turns {
                            thread.criticalSection(pair.first) {
                                pair.first.with(thread) { $0.pointee.number += 1 }
                            }
                            // Both orders: no deadlock.
                            if (turn + number).isMultiple(of: 2) {
                                thread.criticalSection(pair.first, pair.second) {
                                    pair.second.with(thread) { $0.pointee.number += 1 }
                                }
                            } else {
                                thread.criticalSection(pair.second, pair.first) {
                                    pair.second.with(thread) { $0.pointee.number += 1 }
                                }
                            }
                            thread.safepoint()
                        }
                    })
            }
            for thread in threads { try thread.join() }
            #expect(counter.read(\.number, by: thread) == 4 * turns)
            #expect(second.read(\.number, by: thread) == 4 * turns)
        }
        #expect(try world.end().isClean)
    }

    @Test func `threads fill one dictionary and drop cycles while another collects, and every count stays right`() throws {
        // Each collection is checked by the oracle: what is marked, and the count of every object.
        let world = try World()
        let nodes = world.nodes
        let words = (0..<50).map { "word \($0)" }
        let turns = rounds(3000)
        let running = Signal()
        let threadCount = 3
        try world.interpreter.withThread { thread in
            let dictionary = try thread.makeDictionary()
            let threads = try (0..<threadCount).map { number in
                StartedBox(
                    try world.interpreter.startThread(dictionary.copy(by: thread)) { thread, dictionary in
                        defer { running.add() }
                        var seed = UInt64(number) &* 7919 &+ 1
                        for turn in 0..<turns {
                            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                            let word = words[Int(seed >> 33) % words.count]
                            let shared = try dictionary.findOrInsert(word, as: nodes, by: thread) {
                                () throws(OutOfMemory) in try thread.make(nodes, Node())
                            }
                            // A cycle between the word and what this turn made; the word before is let go of.
                            let made = try thread.make(nodes, Node(number: turn, next: Field(shared)))
                            if let before = try shared.load(\.next, by: thread) {
                                made.store(before, into: \.other, by: thread)
                                before.clear(\.other, by: thread)
                            }
                            shared.store(made, into: \.next, by: thread)
                            thread.criticalSection(shared) { shared.with(thread) { $0.pointee.number += 1 } }
                            thread.safepoint()
                        }
                    })
            }
            var collections = 0
            while running.count < threadCount {
                try thread.collect()
                collections += 1
                thread.detached { _ = usleep(500) }
            }
            for thread in threads { try thread.join() }
            try thread.collect()
            var total = 0
            dictionary.visit(by: thread) { _, value in total += value.payload(as: nodes)!.pointee.number }
            #expect(total == threadCount * turns)
            #expect(dictionary.count(by: thread) == words.count)
            dictionary.end(by: thread)
            let last = try thread.collect()
            #expect(last.objectsKept == 0)
            #expect(collections > 0)
        }
        #expect(try world.end().isClean)
    }

    @Test func `elements are found by type, and a list is changed while it is read`() throws {
        let world = try World()
        let nodes = world.nodes
        try world.interpreter.withThread { thread in
            let list = try thread.makeList()
            let text = try thread.makeString("a text")
            for number in 0..<10 {
                try list.append(thread.make(nodes, Node(number: number)), by: thread)
                try list.append(text, by: thread)
            }
            #expect(try list.load(0, by: thread)!.as(nodes, by: thread)!.read(\.number, by: thread) == 0)
            let noNode = try list.load(1, by: thread)!.as(nodes, by: thread)
            if noNode != nil { Issue.record("a text is no node") }
            let bytes = try list.load(1, by: thread)!.as(ManagedBytes.self, by: thread)!
            #expect(bytes.string(by: thread) == "a text")
            #expect(bytes.isSame(as: text, by: thread) == true)
            let past = try list.load(20, by: thread)
            if past != nil { Issue.record("past the end") }
            let removed = try list.removeAll(by: thread) { $0.bytes != nil }
            #expect(removed == 10)
            #expect(list.count(by: thread) == 10)
            var sum = 0
            list.visit(by: thread) { sum += $0.payload(as: nodes)!.pointee.number }
            #expect(sum == 45)
            let dictionary = try thread.makeDictionary()
            #expect(try dictionary.insert("a", text, by: thread))
            #expect(try !dictionary.insert("a", list, by: thread))
            let gone = try dictionary.removeAll(by: thread) { key, _ in key.elementsEqual("a".utf8) }
            #expect(gone == 1)
            #expect(dictionary.count(by: thread) == 0)
            try thread.collect()
        }
        #expect(try world.end().isClean)
    }
}

/// Two handles for a thread to keep.
struct Pair: ~Copyable, Sendable {
    let first: Handle<Node>
    let second: Handle<Node>
}
