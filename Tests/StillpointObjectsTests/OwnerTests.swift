import StillpointMemory
import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

@Suite struct OwnerTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    let type: ManagedType<Person>
    let census = Census()

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
        type = try runtime.objects.types.add(Person.self)
    }

    private func makePerson(by thread: Thread) -> ObjectPointer {
        try! Allocation.make(type, Person(life: Life(census)), by: thread)
    }

    @Test func `an object dropped by another thread dies at its owner's safepoint`() throws {
        try interpreter.withThread { owner in
            nonisolated(unsafe) let object = makePerson(by: owner)
            interpreter.start { thread in Counting.release(object, by: thread) }.join()
            #expect(census.aliveCount == 1)
            Safepoint.poll(owner.record)
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }

    @Test func `an object dropped while its owner is detached is merged by the service thread`() throws {
        try interpreter.withThread { owner in
            nonisolated(unsafe) let object = makePerson(by: owner)
            Attachment.detach(owner.record)
            interpreter.start { thread in Counting.release(object, by: thread) }.join()
            eventually("the service thread merges") { census.aliveCount == 0 }
            try Attachment.attach(owner.record)
        }
        runtime.end()
    }

    @Test func `an owner that detaches with counts queued leaves them to the service thread`() throws {
        try interpreter.withThread { owner in
            nonisolated(unsafe) let object = makePerson(by: owner)
            interpreter.start { thread in Counting.release(object, by: thread) }.join()
            Attachment.detach(owner.record)
            eventually("the service thread merges") { census.aliveCount == 0 }
            try Attachment.attach(owner.record)
        }
        runtime.end()
    }

    @Test func `an object whose owner is gone dies at once`() throws {
        nonisolated(unsafe) var object: ObjectPointer?
        interpreter.start { thread in object = makePerson(by: thread) }.join()
        let number = OwnerWord.identifier(object!.header.pointee.owner.load(ordering: .relaxed))
        let elsewhere = try runtime.makeInterpreter()
        let taker = try elsewhere.make()  // takes the number, so that no thread of ours inherits the object
        try interpreter.withThread { thread in
            #expect(taker.ownerIdentifier == number)
            Roster.deleteUnused(taker.record)
            #expect(thread.ownerIdentifier != number)
            Counting.release(object!, by: thread)
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }

    @Test func `what was queued is merged when its owner ends`() throws {
        try interpreter.withThread { other in
            let done = Shared()
            nonisolated(unsafe) var object: ObjectPointer?
            let isMade = Shared()
            let running = interpreter.start { owner in
                object = makePerson(by: owner)
                isMade.raise()
                eventually("released") { done.isRaised }
            }
            eventually("made") { isMade.isRaised }
            Counting.release(object!, by: other)
            #expect(census.aliveCount == 1)
            done.raise()
            running.join()
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }

    @Test func `a thread state with a used number inherits what is left of it`() throws {
        nonisolated(unsafe) var object: ObjectPointer?
        nonisolated(unsafe) var number: UInt64 = 0
        interpreter.start { thread in
            object = makePerson(by: thread)
            number = thread.ownerIdentifier
        }.join()
        try interpreter.withThread { heir in
            #expect(heir.ownerIdentifier == number)
            Counting.retain(object!, by: heir)
            #expect(object!.header.pointee.owner.load(ordering: .relaxed) == number | 2 * OwnerWord.one)
            Counting.release(object!, by: heir)
            Counting.release(object!, by: heir)
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }

    @Test func `a number used by another interpreter is no owner here`() throws {
        nonisolated(unsafe) var object: ObjectPointer?
        nonisolated(unsafe) var number: UInt64 = 0
        interpreter.start { thread in
            object = makePerson(by: thread)
            number = thread.ownerIdentifier
        }.join()
        let elsewhere = try runtime.makeInterpreter()
        let heir = try elsewhere.make()
        #expect(heir.ownerIdentifier == number)
        try interpreter.withThread { thread in
            Counting.release(object!, by: thread)
            #expect(census.aliveCount == 0)
        }
        #expect(heir.isIdle)
        Roster.deleteUnused(heir.record)
        runtime.end()
    }

    @Test func `what is queued to a thread state that never ran dies later`() throws {
        nonisolated(unsafe) var object: ObjectPointer?
        interpreter.start { thread in object = makePerson(by: thread) }.join()
        let unused = try interpreter.make()  // inherits the number
        try interpreter.withThread { thread in
            Counting.release(object!, by: thread)
            #expect(!unused.isIdle)
            Roster.deleteUnused(unused.record)
            #expect(census.aliveCount <= 1)
        }
        _ = interpreter.settle()
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `a count that cannot be queued leaves its object to a collection`() throws {
        try interpreter.withThread { owner in
            nonisolated(unsafe) let object = makePerson(by: owner)
            interpreter.start { thread in
                FailurePlan([.memory], ordinal: 1).withPlan { Counting.release(object, by: thread) }
                #expect(thread.own.pointee.lostCount == 1)
                let word = thread.pointee.record.participant.word.load(ordering: .relaxed)
                #expect(word & ThreadWord.collectionDue != 0)
            }.join()
            Safepoint.poll(owner.record)
            #expect(census.aliveCount == 1)
            #expect(Counting.count(of: object) == 1)
            // What a collection would do.
            #expect(Counting.merge(object, adding: -1))
            Destruction.destroy(object, by: owner)
        }
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `one thread state too many is an error`() throws {
        let small = try TestRuntime(maximumThreadCount: 3)
        let interpreter = try small.makeInterpreter()
        let threads = try (0..<3).map { _ in try interpreter.make() }
        #expect(Set(threads.map { $0.ownerIdentifier }) == [1, 2, 3])
        #expect(throws: ThreadStateError.tooManyThreadStates) { try interpreter.make() }
        Roster.deleteUnused(threads[1].record)
        let next = try interpreter.make()
        #expect(next.ownerIdentifier == 2)
        for thread in [threads[0], threads[2], next] { Roster.deleteUnused(thread.record) }
        small.end()
        runtime.end()
    }

    @Test func `a queue of many chunks is merged whole`() throws {
        let count = 3 * MergeQueue.Chunk.capacity + 1
        try interpreter.withThread { owner in
            nonisolated(unsafe) let objects = (0..<count).map { _ in makePerson(by: owner) }
            interpreter.start { thread in
                for object in objects { Counting.release(object, by: thread) }
            }.join()
            #expect(census.aliveCount == count)
            Safepoint.poll(owner.record)
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }
}
