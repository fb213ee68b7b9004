import StillpointMemory
import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

@Suite struct DestructionTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
    }

    @Test func `a nest 2^20 deep is freed on a small stack`() throws {
        let type = try runtime.objects.types.add(Node.self)
        let depth = rounds(1 << 20)
        interpreter.start(stackByteCount: 256 << 10) { thread in
            var head = try! Allocation.make(type, Node(), by: thread)
            for number in 1..<depth {
                let next = try! Allocation.make(type, Node(number: number), by: thread)
                Barrier.initialize(
                    (next + 16).assumingMemoryBound(to: Node.self).slotOfNext, to: head, by: thread)
                Counting.release(head, by: thread)
                head = next
            }
            Counting.release(head, by: thread)
            #expect(thread.own.pointee.diedCount == depth)
            #expect(thread.own.pointee.dying == nil)
        }.join()
        runtime.end()
    }

    @Test func `a nest made by another thread is freed too, level by level`() throws {
        let type = try runtime.objects.types.add(Person.self)
        let census = Census()
        let depth = rounds(10_000)
        nonisolated(unsafe) var head: ObjectPointer?
        try interpreter.withThread { owner in
            head = try Allocation.make(type, Person(life: Life(census)), by: owner)
            for _ in 1..<depth {
                let next = try Handle.make(type, Person(life: Life(census)), by: owner)
                Barrier.initialize(next.slot(\.friend), to: head, by: owner)
                Counting.release(head!, by: owner)
                head = next.take(by: owner)
            }
            interpreter.start(stackByteCount: 256 << 10) { thread in
                Counting.release(head!, by: thread)
            }.join()
            Safepoint.poll(owner.record)
            #expect(census.aliveCount == 0)
        }
        #expect(census.born.load(ordering: .relaxed) == depth)
        runtime.end()
    }

    @Test func `a type made by hand is destroyed by its function`() throws {
        let index = try runtime.objects.types.add(
            TypeLayout(
                name: "counter", payloadByteCount: 8,
                destroy: { payload in
                    payload.load(as: UnsafeMutablePointer<Int>.self).pointee += 1
                }))
        let deaths = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        deaths.initialize(to: 0)
        try interpreter.withThread { thread in
            let object = try Allocation.make(typeIndex: index, by: thread)
            (object + 16).storeBytes(of: deaths, as: UnsafeMutablePointer<Int>.self)
            Counting.release(object, by: thread)
        }
        #expect(deaths.pointee == 1)
        deaths.deallocate()
        runtime.end()
    }

    @Test func `a store gives up what it replaces`() throws {
        let type = try runtime.objects.types.add(Person.self)
        let census = Census()
        try interpreter.withThread { thread in
            let holder = try Handle.make(type, Person(life: Life(census)), by: thread)
            for _ in 0..<3 {
                let friend = try Handle.make(type, Person(life: Life(census)), by: thread)
                holder.store(friend, into: \.friend, by: thread)
                friend.end(by: thread)
                #expect(census.aliveCount == 2)
            }
            let friend = try holder.load(\.friend, by: thread)!
            holder.clear(\.friend, by: thread)
            #expect(census.aliveCount == 2)
            friend.end(by: thread)
            #expect(census.aliveCount == 1)
            #expect(try holder.load(\.friend, by: thread) == nil)
            holder.end(by: thread)
        }
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `references in the value that an object is made from are counted`() throws {
        let type = try runtime.objects.types.add(Node.self)
        try interpreter.withThread { thread in
            let leaf = try Handle.make(type, Node(number: 7), by: thread)
            let root = try Handle.make(
                type, Node(number: 1, next: Field(leaf), other: Field(leaf)), by: thread)
            #expect(Counting.count(of: leaf.object) == 3)
            leaf.end(by: thread)
            let next = try root.load(\.next, by: thread)!
            #expect(next.payload.pointee.number == 7)
            next.end(by: thread)
            root.end(by: thread)
        }
        runtime.end()
    }
}

extension UnsafeMutablePointer where Pointee == Node {
    var slotOfNext: ReferenceSlot { withUnsafeMutablePointer(to: &pointee.next) { $0.slot() } }
}
