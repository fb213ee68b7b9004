import StillpointMemory
import StillpointObjects
import StillpointTestSupport
import StillpointThreads
import Foundation
import Testing

@testable import StillpointCollectors

@Suite struct CollectorTests {
    /// Every graph of three objects with at most one reference each way out of their two slots, every choice of
    /// which are held by handles: what the collector keeps is what can be reached.
    @Test func `of every graph of three objects what handles reach is kept, and nothing else`() throws {
        let harness = try CollectorHarness()
        harness.collector.pointee.isVerifying = false
        try harness.withThread { thread in
            // Each object's left slot: none, or one of the three; likewise its right slot.
            for code in 0..<4096 {
                var digits: [Int] = []
                var rest = code
                for _ in 0..<6 {
                    digits.append(rest % 4)
                    rest /= 4
                }
                let held = (code * 7 + code / 8) % 8  // each set of handles with many graphs
                try checkGraph(digits, held: held, harness, thread)
            }
        }
        harness.end()
    }

    private func checkGraph(
        _ digits: [Int], held: Int, _ harness: CollectorHarness, _ thread: Thread
    ) throws {
        let roots = try (0..<3).map { Root(try harness.leaf($0, by: thread)) }
        for object in 0..<3 {
            for (slot, digit) in digits[(object * 2)...(object * 2 + 1)].enumerated() where digit > 0 {
                roots[object].handle!.store(
                    roots[digit - 1].handle!, into: slot == 0 ? \.left : \.right, by: thread)
            }
        }
        var reached = Set((0..<3).filter { held & 1 << $0 != 0 })
        for _ in 0..<3 {
            for object in reached {
                for digit in digits[(object * 2)...(object * 2 + 1)] where digit > 0 {
                    reached.insert(digit - 1)
                }
            }
        }
        for object in 0..<3 where held & 1 << object == 0 { roots[object].end(by: thread) }
        let report = try Collector.collect(harness.collector, by: thread)
        if report.objectsKept != reached.count {
            Issue.record("graph \(digits), held \(held): \(report.objectsKept) kept, \(reached) reached")
        }
        for object in 0..<3 where held & 1 << object != 0 {
            let number = number(of: roots[object].handle!)
            #expect(number == object)
            // Fields are emptied so that the next graph begins with nothing.
            roots[object].handle!.clear(\.left, by: thread)
            roots[object].handle!.clear(\.right, by: thread)
        }
        for object in 0..<3 where held & 1 << object != 0 { roots[object].end(by: thread) }
        let after = try Collector.collect(harness.collector, by: thread)
        #expect(after.objectsKept == 0)
    }

    @Test func `a random graph is collected as the oracle says, with a mark stack of any size`() throws {
        let seed: UInt64 = .random(in: 0...UInt64.max)
        print("seed \(seed)")
        for limit in [1, 2, 3, 7, 64, Int.max] {
            let harness = try CollectorHarness()
            harness.collector.pointee.markStackLimit = limit
            var numbers = SplitMix64(seed: seed)
            try harness.withThread { thread in
                var roots: [Root] = []
                for number in 0..<500 {
                    if roots.isEmpty || Int.random(in: 0..<10, using: &numbers) == 0 {
                        roots.append(Root(try harness.leaf(number, by: thread)))
                        continue
                    }
                    let a = roots[Int.random(in: 0..<roots.count, using: &numbers)]
                    let b = roots[Int.random(in: 0..<roots.count, using: &numbers)]
                    let node = Root(try harness.node(number, a.handle!, b.handle!, by: thread))
                    // A way back, so that there are cycles.
                    if Int.random(in: 0..<3, using: &numbers) == 0 { a.handle!.store(node.handle!, into: \.right, by: thread) }
                    roots.append(node)
                }
                var rescans = 0
                while !roots.isEmpty {
                    for _ in 0..<min(40, roots.count) {
                        roots.remove(at: Int.random(in: 0..<roots.count, using: &numbers)).end(by: thread)
                    }
                    rescans += try Collector.collect(harness.collector, by: thread).rescanCount
                }
                #expect((rescans > 0) == (limit <= 64), "limit \(limit): \(rescans) walks")
                #expect(try Collector.collect(harness.collector, by: thread).objectsFound == 0)
            }
            harness.end()
        }
    }

    @Test func `a destroy function runs outside the pause, with the world running`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            var pausesSeen: [Bool] = []
            do {
                let first = try Handle.make(
                    harness.watched,
                    Watched(token: .init { pausesSeen.append(Attachment.current!.isStopping) }), by: thread)
                let second = try Handle.make(
                    harness.watched,
                    Watched(next: Field(first), token: .init { pausesSeen.append(Attachment.current!.isStopping) }),
                    by: thread)
                first.store(second, into: \.next, by: thread)
            }
            let report = try Collector.collect(harness.collector, by: thread)
            #expect(report.objectsDestroyedAfterPause == 2)
            #expect(pausesSeen == [false, false])
        }
        harness.end()
    }

    private final class WatchedRoot: @unchecked Sendable {
        private var handle: Handle<Watched>?
        init(_ handle: consuming Handle<Watched>) { self.handle = consume handle }
        func end(by thread: Thread) { handle.take()!.end(by: thread) }
    }

    @Test func `an object whose last count was queued is destroyed after the pause, too`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            var pausesSeen: [Bool] = []
            let root = WatchedRoot(
                try Handle.make(
                    harness.watched,
                    Watched(token: .init {
                        pausesSeen.append(Attachment.current!.isStopping)
                    }), by: thread))
            // Given up by a thread that does not own it, while the owner does not poll: queued.
            let isDone = DispatchSemaphore(value: 0)
            Foundation.Thread.detachNewThread {
                try! harness.withThread { root.end(by: $0) }
                isDone.signal()
            }
            isDone.wait()
            #expect(pausesSeen.isEmpty)
            let report = try Collector.collect(harness.collector, by: thread)
            #expect(report.objectsFreed == 1)
            #expect(report.objectsDestroyedAfterPause == 1)
            #expect(pausesSeen == [false])
        }
        harness.end()
    }

    @Test func `a stop asked for by a destroy function that a collection runs is refused`() throws {
        let harness = try CollectorHarness()
        let world = harness.world
        try harness.withThread { thread in
            var seen: [ThreadStateError] = []
            do {
                let watched = try Handle.make(
                    harness.watched,
                    Watched(token: .init {
                        do throws(ThreadStateError) {
                            try StopTheWorld.begin(world, scope: nil).resume()
                        } catch { seen.append(error) }
                    }), by: thread)
                watched.store(watched, into: \.next, by: thread)
            }
            _ = try Collector.collect(harness.collector, by: thread)
            #expect(seen == [.insideDestroyFunction])
            try StopTheWorld.begin(world, scope: nil).resume()
        }
        harness.end()
    }

    @Test func `detaching in a destroy function that a collection runs ends the process and says so`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let harness = try CollectorHarness()
            try harness.withThread { thread in
                do {
                    let token = Watched.Token { Attachment.detach(thread.record) }
                    let watched = try Handle.make(harness.watched, Watched(token: token), by: thread)
                    watched.store(watched, into: \.next, by: thread)
                }
                _ = try Collector.collect(harness.collector, by: thread)
            }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("detach: inside a destroy function"))
    }

    @Test func `a collection asked for by a destroy function is refused`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            var seen: [CollectionError] = []
            let token = Watched.Token {
                do throws(CollectionError) {
                    _ = try Collector.collect(harness.collector, by: thread)
                } catch { seen.append(error) }
            }
            do {
                let watched = try Handle.make(harness.watched, Watched(token: token), by: thread)
                watched.store(watched, into: \.next, by: thread)
            }
            // `token` is a second reference: the instance ends when both are gone.
            _ = consume token
            _ = try Collector.collect(harness.collector, by: thread)
            #expect(seen == [.insideCollection])
        }
        harness.end()
    }

    @Test func `what a trash object refers to loses that count, whoever owns it`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            let kept = try harness.leaf(1, by: thread)
            for isMerged in [false, true] {
                if isMerged { _ = Counting.merge(kept.object) }
                do {
                    let ring = try harness.node(2, kept, kept, by: thread)
                    ring.store(ring, into: \.left, by: thread)
                }
                #expect(Counting.count(of: kept.object) == 2)
                _ = try Collector.collect(harness.collector, by: thread)
                #expect(Counting.count(of: kept.object) == 1)
            }
        }
        harness.end()
    }

    @Test func `an immortal object is kept without a handle, with what it refers to`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            do {
                let leaf = try harness.leaf(1, by: thread)
                let immortal = try harness.node(2, leaf, leaf, by: thread)
                Counting.makeImmortal(immortal.object)
            }
            let report = try Collector.collect(harness.collector, by: thread)
            #expect(report.objectsKept == 2)
            #expect(report.objectsFreed == 0)
            let last = try Collector.collectAll(harness.collector, by: thread)
            #expect(last.objectsFreed == 2)
        }
        harness.end()
    }

    @Test func `counts queued to a sleeping owner are merged by the collection`() throws {
        let harness = try CollectorHarness()
        nonisolated(unsafe) let owner = try Roster.makeThread(in: harness.roster)
        let sleeping = Sleeper()
        let slot = Holder()
        let running = Running {
            try! Attachment.attach(owner)
            slot.root = Root(try! harness.leaf(1, by: Thread(owner)))
            Attachment.detach(owner)
            sleeping.signal()
            sleeping.waitForEnd()
            try! Attachment.attach(owner)
            try! Roster.clear(owner, by: owner)
            Roster.deleteCurrent(owner)
        }
        sleeping.wait()
        try harness.withThread { thread in
            slot.root!.end(by: thread)  // queued to its owner
            let report = try Collector.collect(harness.collector, by: thread)
            #expect(report.objectsFound - report.objectsFreed == 0)
            let census = try harness.collector.census()
            #expect(census.objectCount == 0)
        }
        sleeping.end()
        running.join()
        harness.end()
    }

    @Test func `the oracle sees a count that is wrong`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let harness = try CollectorHarness()
            try harness.withThread { thread in
                let node = try harness.leaf(1, by: thread)
                Counting.retain(node.object, by: thread)  // nobody holds this one
                _ = try harness.collector.verify(by: thread)
            }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("count 2, references 1"))
    }

    @Test func `a census counts types made meanwhile, and old storage apart from objects`() throws {
        let harness = try CollectorHarness()
        try harness.withThread { thread in
            for number in 0..<200 {
                let index = try harness.runtime.types.add(
                    TypeLayout(name: "type \(number)", payloadByteCount: 8))
                let object = try Allocation.make(typeIndex: index, elementCount: 0, by: thread)
                let handle = try Handle<ManagedObject>(adopting: object, by: thread)
                let census = try harness.collector.census()
                #expect(census.types.map(\.name) == ["type \(number)"])
                #expect(census.objectCount == 1)
                #expect(census.handleCount == 1)
                handle.end(by: thread)
            }
        }
        harness.end()
    }
}
