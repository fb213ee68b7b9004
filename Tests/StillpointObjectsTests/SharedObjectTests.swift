// Objects that several threads use at once: births and deaths balance, readers find what is there.

import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

@Suite struct SharedObjectTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    let type: ManagedType<Person>
    let numbers: ManagedType<Node>
    let census = Census()

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
        type = try runtime.objects.types.add(Person.self)
        numbers = try runtime.objects.types.add(Node.self)
    }

    private func number(_ object: ObjectPointer) -> Int {
        (object + 16).assumingMemoryBound(to: Node.self).pointee.number
    }

    /// A container that outlives the threads which use it, and its end.
    private final class Root: @unchecked Sendable {
        let slot: ObjectSlot
        init(_ object: ObjectPointer, by thread: Thread) {
            slot = HandleTable.take(holding: object, by: thread)!
        }
        var object: ObjectPointer { slot.pointee! }
        func end(by thread: Thread) {
            let object = object
            HandleTable.give(slot, by: thread)
            Counting.release(object, by: thread)
        }
    }

    private func run(_ bodies: [@Sendable (Thread) -> Void]) {
        let threads = bodies.map { body in interpreter.start(body) }
        for thread in threads { thread.join() }
    }

    @Test(arguments: [2, 3, 4])
    func `threads that swap objects through shared slots lose none and free none twice`(
        threadCount: Int
    ) throws {
        let seed = newSeed("swap")
        let root = try interpreter.withThread { Root(try ManagedArray.make(count: 4, by: $0), by: $0) }
        run((0..<threadCount).map { index in
            { thread in
                var random = SplitMix64(seed: seed &+ UInt64(index))
                var held: ObjectPointer?
                for _ in 0..<rounds(30_000) {
                    let choice = random.next()
                    let slot = Int(choice % 4)
                    switch (choice >> 8) % 8 {
                    case 0...1:
                        let object = try! Allocation.make(type, Person(life: Life(census)), by: thread)
                        ManagedArray.store(object, into: root.object, at: slot, by: thread)
                        Counting.release(object, by: thread)
                    case 2:
                        ManagedArray.store(nil, into: root.object, at: slot, by: thread)
                    case 3...5:
                        if let held { Counting.release(held, by: thread) }
                        held = ManagedArray.load(root.object, slot, by: thread)
                        if let held {
                            let person = (held + 16).assumingMemoryBound(to: Person.self)
                            #expect(person.pointee.life.census === census)
                        }
                    case 6:
                        // A reference to another's object from one of ours, and away with it.
                        let object = try! Allocation.make(type, Person(life: Life(census)), by: thread)
                        let person = (object + 16).assumingMemoryBound(to: Person.self)
                        let friend = withUnsafeMutablePointer(to: &person.pointee.friend) { $0.slot() }
                        Barrier.store(held, into: friend, of: object, by: thread)
                        Counting.release(object, by: thread)
                    default:
                        if let held { ManagedArray.store(held, into: root.object, at: slot, by: thread) }
                    }
                    if choice >> 60 == 0 {
                        Attachment.detach(thread.record)
                        try! Attachment.attach(thread.record)
                    }
                    Safepoint.poll(thread.record)
                }
                if let held { Counting.release(held, by: thread) }
            }
        })
        try interpreter.withThread { root.end(by: $0) }
        _ = interpreter.settle()
        #expect(census.born.load(ordering: .relaxed) > 0)
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `readers of a list see each element while a writer appends`() throws {
        let count = rounds(20_000)
        let root = try interpreter.withThread { Root(try ManagedList.make(by: $0), by: $0) }
        let writer: @Sendable (Thread) -> Void = { thread in
            for number in 0..<count {
                let value = try! Handle.make(numbers, Node(number: number), by: thread)
                try! ManagedList.append(value.slot, to: root.slot, by: thread)
                value.end(by: thread)
                Safepoint.poll(thread.record)
            }
        }
        let reader: @Sendable (Thread) -> Void = { thread in
            var seen = 0
            while seen < count {
                let known = ManagedList.count(of: root.object)
                #expect(known >= seen)
                if known > 0 {
                    for index in [0, known / 2, known - 1] {
                        let object = ManagedList.load(root.object, index, by: thread)!
                        #expect(number(object) == index)
                        Counting.release(object, by: thread)
                    }
                }
                seen = known
                Safepoint.poll(thread.record)
            }
        }
        run([writer, reader, reader])
        try interpreter.withThread { root.end(by: $0) }
        runtime.end()
    }

    @Test func `readers of a list survive a writer that removes and replaces`() throws {
        let root = try interpreter.withThread { Root(try ManagedList.make(by: $0), by: $0) }
        let done = Shared()
        let writer: @Sendable (Thread) -> Void = { thread in
            for round in 0..<rounds(5_000) {
                let value = try! Handle.make(numbers, Node(number: round % 100), by: thread)
                switch round % 7 {
                case 0...3: try! ManagedList.append(value.slot, to: root.slot, by: thread)
                case 4: _ = ManagedList.store(value.slot, in: root.slot, at: 0, by: thread)
                case 5:
                    if let last = ManagedList.removeLast(from: root.slot, by: thread) {
                        Counting.release(last, by: thread)
                    }
                default:
                    if round % 70 == 6 {
                        _ = try! ManagedList.removeAll(
                            from: root.slot, by: thread, where: { number($0) % 3 != 0 })
                    }
                }
                value.end(by: thread)
                Safepoint.poll(thread.record)
            }
            done.raise()
        }
        let reader: @Sendable (Thread) -> Void = { thread in
            while !done.isRaised {
                for index in 0..<8 {
                    if let object = ManagedList.load(root.object, index, by: thread) {
                        #expect(0..<100 ~= number(object))
                        Counting.release(object, by: thread)
                    }
                }
                Safepoint.poll(thread.record)
            }
        }
        run([writer, reader, reader])
        try interpreter.withThread { root.end(by: $0) }
        runtime.end()
    }

    @Test(arguments: [2, 4])
    func `threads append to one list and no element is lost`(threadCount: Int) throws {
        let count = rounds(10_000)
        let root = try interpreter.withThread { Root(try ManagedList.make(by: $0), by: $0) }
        run((0..<threadCount).map { index in
            { thread in
                for number in 0..<count {
                    let value = try! Handle.make(
                        numbers, Node(number: index * count + number), by: thread)
                    try! ManagedList.append(value.slot, to: root.slot, by: thread)
                    value.end(by: thread)
                    Safepoint.poll(thread.record)
                }
            }
        })
        var found: Set<Int> = []
        ManagedList.visit(root.object) { found.insert(number($0)) }
        #expect(found == Set(0..<threadCount * count))
        try interpreter.withThread { root.end(by: $0) }
        runtime.end()
    }

    @Test(arguments: [2, 3, 4])
    func `threads that find or insert the same keys agree on the values`(threadCount: Int) throws {
        let keyCount = rounds(5_000)
        let root = try interpreter.withThread { Root(try ManagedDictionary.make(by: $0), by: $0) }
        let winners = (0..<keyCount).map { _ in Shared() }
        run((0..<threadCount).map { index in
            { thread in
                for step in 0..<keyCount {
                    let key = index % 2 == 0 ? step : keyCount - 1 - step
                    let found = "word \(key)".withKey {
                        try! ManagedDictionary.findOrInsert($0, hash: $1, in: root.slot, by: thread) {
                            () throws(OutOfMemory) in
                            try Allocation.make(
                                numbers, Node(number: key * 10 + index + 1), by: thread)
                        }
                    }
                    #expect(number(found) / 10 == key)
                    winners[key].count.compareExchange(
                        expected: 0, desired: number(found), ordering: .acquiringAndReleasing)
                    #expect(winners[key].value == number(found))
                    Counting.release(found, by: thread)
                    Safepoint.poll(thread.record)
                }
            }
        })
        #expect(ManagedDictionary.count(of: root.object) == keyCount)
        try interpreter.withThread { root.end(by: $0) }
        runtime.end()
    }

    @Test func `readers of a dictionary find every key that was there while a writer inserts and replaces`()
        throws
    {
        let count = rounds(10_000)
        let root = try interpreter.withThread { Root(try ManagedDictionary.make(by: $0), by: $0) }
        let inserted = Shared()
        let writer: @Sendable (Thread) -> Void = { thread in
            for number in 0..<count {
                for key in [number, number / 2] {
                    let value = try! Handle.make(numbers, Node(number: key), by: thread)
                    _ = "\(key)".withKey {
                        try! ManagedDictionary.insert(
                            $0, hash: $1, value: value.slot, in: root.slot, by: thread)
                    }
                    value.end(by: thread)
                }
                inserted.add()
                Safepoint.poll(thread.record)
            }
        }
        let reader: @Sendable (Thread) -> Void = { thread in
            var random = SplitMix64(seed: thread.ownerIdentifier)
            while inserted.value < count {
                let known = inserted.value
                if known == 0 { continue }
                let key = Int(random.next() % UInt64(known))
                let object = "\(key)".withKey {
                    ManagedDictionary.find($0, hash: $1, in: root.object, by: thread)
                }
                #expect(object != nil)
                if let object {
                    #expect(number(object) == key)
                    Counting.release(object, by: thread)
                }
                Safepoint.poll(thread.record)
            }
        }
        run([writer, reader, reader])
        try interpreter.withThread { root.end(by: $0) }
        runtime.end()
    }

    @Test func `stops that merge come between threads that count`() throws {
        let root = try interpreter.withThread { Root(try ManagedArray.make(count: 2, by: $0), by: $0) }
        let done = Shared()
        let worker: @Sendable (Thread) -> Void = { thread in
            for round in 0..<rounds(20_000) {
                let object = try! Allocation.make(type, Person(life: Life(census)), by: thread)
                ManagedArray.store(object, into: root.object, at: round % 2, by: thread)
                if let other = ManagedArray.load(root.object, 1 - round % 2, by: thread) {
                    Counting.release(other, by: thread)
                }
                Counting.release(object, by: thread)
                Safepoint.poll(thread.record)
            }
            done.add()
        }
        let stopper: @Sendable (Thread) -> Void = { thread in
            while done.value < 2 {
                let stopped = try! StopTheWorld.begin(
                    interpreter.runtime.world, scope: interpreter.roster)
                interpreter.objects.mergeAllQueued(by: thread)
                Roster.drainDeferred(of: interpreter.roster, by: UnsafeMutableRawPointer(thread))
                // What is alive is what the slots hold, and what no thread has given up: here, nothing.
                #expect(census.aliveCount <= 2)
                stopped.resume()
                Safepoint.poll(thread.record)
            }
        }
        run([worker, worker, stopper])
        try interpreter.withThread { root.end(by: $0) }
        _ = interpreter.settle()
        #expect(census.aliveCount == 0)
        runtime.end()
    }
}
