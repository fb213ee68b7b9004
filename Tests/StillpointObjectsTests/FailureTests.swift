import Glibc
import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Testing

@testable import StillpointObjects

/// What types, objects, handles and containers do when the system refuses memory.
@Suite struct FailureTests {
    static let kinds: Set<FailureKind> = [.memory, .reservation, .commitment, .unmapping, .advice, .futexWait]

    @Test(arguments: [false, true])
    func `a runtime's objects are made whole or not at all`(isLasting: Bool) {
        var walk = FailureWalk(Self.kinds)
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: { $0 is PlatformError }) {
            let objects = try RuntimeObjects.make()
            RuntimeObjects.destroy(objects)
        }
        // The table of types and that of owners; the entries of types.
        #expect(steps.count(of: .reservation, .surfaced) == 2)
        #expect(steps.count(of: .commitment, .surfaced) == 2)
        // Itself, the owners' locks, the types' names and offsets.
        #expect(steps.count(of: .memory, .surfaced) > 2)
        #expect(steps.count(of: .memory, .borne) == 0)
    }

    /// A thousand types are more than fit in what the table has at first.
    @Test(arguments: [(FailureKind.commitment, 1000), (.memory, 5)])
    func `a type that could not be made is none, and the next takes its index`(kind: FailureKind, newCount: Int) {
        FailureWalk([kind]).run(surfacing: isMemory) {
            let plan = FailurePlan.current!
            plan.endShortage()
            let objects = try RuntimeObjects.make()
            defer { RuntimeObjects.destroy(objects) }
            let before = objects.types.count
            plan.beginShortage()
            do {
                for _ in 0..<newCount { _ = try objects.types.add(Node.self) }
            } catch {
                plan.endShortage()
                let count = objects.types.count
                #expect(try objects.types.add(Node.self).index == count + 1)
                throw error
            }
            #expect(objects.types.count == before + newCount)
        }
    }

    @Test(arguments: [false, true])
    func `objects and containers that are refused memory say so, and are as they were`(isLasting: Bool) {
        var walk = FailureWalk(Self.kinds)
        walk.isLasting = isLasting
        walk.isOfCallerAlone = true
        walk.limit = 300
        let steps = walk.run(surfacing: isMemory) {
            let runtime = try FailureRuntime()
            defer { runtime.end() }
            try runtime.withThread { thread in
                do { try useContainers(of: runtime, by: thread) } catch {
                    FailurePlan.current?.endShortage()
                    try useContainers(of: runtime, by: thread)
                    throw error
                }
            }
        }
        // A thread state, chunks of handles, what a removal takes out; a chunk of deferred frees is done without.
        #expect(steps.count(of: .memory, .surfaced) > 5)
        #expect(isLasting || steps.count(of: .memory, .borne) > 0)
        #expect(steps.count(of: .reservation, .surfaced) >= 2)
    }
}

private func isMemory(_ error: any Error) -> Bool {
    switch error {
    case is PlatformError, is OutOfMemory, TypeError.outOfMemory, ThreadStateError.outOfResources: true
    default: false
    }
}

/// Lists, dictionaries and arrays that grow, shrink, and are let go; handles by the hundred.
private func useContainers(of runtime: FailureRuntime, by thread: Thread) throws {
    let list = try Handle<ManagedList>(adopting: ManagedList.make(by: thread), by: thread)
    for number in 0..<40 {
        let node = try Handle.make(runtime.nodes, Node(number: number), by: thread)
        do { try ManagedList.append(node.slot, to: list.slot, by: thread) } catch {
            #expect(ManagedList.count(of: list.object) == number)
            throw error
        }
    }
    let dictionary = try Handle<ManagedDictionary>(adopting: ManagedDictionary.make(by: thread), by: thread)
    for number in 0..<40 {
        let node = try Handle.make(runtime.nodes, Node(number: number), by: thread)
        do {
            try "key \(number)".withKey { key, hash in
                _ = try ManagedDictionary.insert(
                    key, hash: hash, value: node.slot, in: dictionary.slot, by: thread)
            }
        } catch {
            #expect(ManagedDictionary.count(of: dictionary.object) == number)
            throw error
        }
    }
    try "more".withKey { key, hash in
        let found = try ManagedDictionary.findOrInsert(key, hash: hash, in: dictionary.slot, by: thread) {
            () throws(OutOfMemory) in try Allocation.make(runtime.nodes, Node(number: 41), by: thread)
        }
        Counting.release(found, by: thread)
    }
    do {
        let count = try ManagedList.removeAll(from: list.slot, by: thread) { _ in true }
        #expect(count == 40)
    } catch {
        #expect(ManagedList.count(of: list.object) == 40)
        throw error
    }
    do {
        let count = try ManagedDictionary.removeAll(from: dictionary.slot, by: thread) { _, _ in true }
        #expect(count == 41)
    } catch {
        #expect(ManagedDictionary.count(of: dictionary.object) == 41)
        throw error
    }
    var handles: [Box] = []
    defer { for box in handles { box.handle.take()!.end(by: thread) } }
    for _ in 0..<1100 {  // more than two chunks
        handles.append(Box(try list.copy(by: thread)))
    }
    let array = try Handle<ManagedArray>(adopting: ManagedArray.make(count: 300_000, by: thread), by: thread)
    let huge = try Handle<ManagedArray>(adopting: ManagedArray.make(count: 1_000_000, by: thread), by: thread)
    array.end(by: thread)
    huge.end(by: thread)
}

private final class Box {
    var handle: Handle<ManagedList>?
    init(_ handle: consuming Handle<ManagedList>) { self.handle = consume handle }
}

/// A runtime with one interpreter, every part of which may be refused.
private final class FailureRuntime {
    let world: UnsafeMutablePointer<World>
    let objects: UnsafeMutablePointer<RuntimeObjects>
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    let interpreter: UnsafeMutablePointer<InterpreterObjects>
    let nodes: ManagedType<Node>

    init() throws {
        // Made as if nothing failed: that is another test's.
        let plan = FailurePlan.current
        plan?.endShortage()
        defer { plan?.beginShortage() }
        var hooks = ThreadHooks()
        ObjectHooks.install(into: &hooks)
        world = try World.make(hooks: hooks)
        objects = try RuntimeObjects.make(maximumTypeCount: 100, maximumThreadCount: 100)
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: world, heap: heap)
        interpreter = try InterpreterObjects.make(for: roster, in: objects)
        nodes = try objects.types.add(Node.self)
    }

    func withThread(_ body: (Thread) throws -> Void) throws {
        let thread = Thread(try Roster.makeThread(in: roster))
        do { try Attachment.attach(thread.record) } catch {
            Roster.deleteUnused(thread.record)
            throw error
        }
        defer { leave(thread) }
        try body(thread)
    }

    /// Every object has died by now, but for old storage that could not be deferred: a stop frees that.
    func end() {
        FailurePlan.current?.endShortage()
        try! withThread { thread in
            let counts = try StopTheWorld.with(world, scope: roster) { () -> ObjectCounts in
                interpreter.mergeAllQueued(by: thread)
                Roster.drainDeferred(of: roster, by: UnsafeMutableRawPointer(thread))
                return interpreter.counts()
            }
            #expect(counts.born == counts.died)
            #expect(heap.statistics().liveBlockCount == 0)
        }
        heap.checkInvariants()
        Roster.close(roster)
        Roster.destroy(roster)
        InterpreterObjects.destroy(interpreter)
        World.destroy(world)
        RuntimeObjects.destroy(objects)
        heap.deinitialize(count: 1)
        heap.deallocate()
    }
}
