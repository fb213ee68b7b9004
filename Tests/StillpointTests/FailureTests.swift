// The whole runtime through its public face, with each call of the system failing in turn.

import Glibc
import Stillpoint
import StillpointPlatform
import StillpointTestSupport
import Testing

@Suite struct FailureTests {
    static let kinds = Set(FailureKind.allCases)

    @Test(arguments: [false, true])
    func `a program that is refused anything gets a typed error, and can end everything`(isLasting: Bool) {
        var walk = FailureWalk(Self.kinds)
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: isTyped) { try onNewThread { try runProgram() } }
        #expect(steps.count(of: .memory, .surfaced) > 20)
        // Whose call is the n-th varies from run to run: the service thread and started threads ask, too.
        #expect(steps.count(of: .threadStart, .surfaced) >= 1)
        #expect(steps.count(of: .readerRegistration, .surfaced) >= 1)
    }

    /// Before, it waited for memory for ever once it had begun.
    @Test(arguments: [false, true])
    func `a shutdown either does not begin or comes to its end without memory`(isLasting: Bool) {
        var walk = FailureWalk([.memory, .reservation, .commitment, .readerRegistration, .threadStart])
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: isTyped) {
            let plan = FailurePlan.current!
            plan.endShortage()
            let world = try World()
            try fill(world)
            let host = try world.interpreter.makeHostThread()
            try host.withAttached { thread in _ = try thread.make(world.nodes, Node()).end(by: thread) }
            defer { try! world.runtime.shutdown() }
            plan.beginShortage()
            do throws(RuntimeError) {
                #expect(try world.interpreter.shutdown().leftHostThreadCount == 1)
            } catch {
                plan.endShortage()
                #expect(try world.interpreter.collect().objectsFound >= 0)  // nothing was changed
                #expect(try world.interpreter.shutdown().leftHostThreadCount == 1)
                throw error
            }
        }
        #expect(steps.count(of: .memory, .surfaced) >= 2)
    }

    /// Before, the element was taken off the list and let go.
    @Test func `an element that no handle can be had for stays in its list`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            let list = try thread.makeList(capacity: 8)
            try list.append(thread.make(world.nodes, Node(number: 1)), by: thread)
            var handles: [Kept] = []
            let plan = FailurePlan([.memory], ordinal: 1, isLasting: true)
            plan.withPlan {
                while let handle = try? list.copy(by: thread) { handles.append(Kept(handle)) }
                #expect(throws: OutOfMemory.self) { _ = try list.removeLast(by: thread) }
            }
            for kept in handles { kept.handle.take()!.end(by: thread) }
            #expect(list.count(by: thread) == 1)
            let last = try list.removeLast(by: thread)
            let isThere = last != nil
            #expect(isThere)
        }
        try world.end()
    }

    /// Before, it ended where the start failed, on a thread that is not attached, and so the process with it.
    @Test func `what a thread was given ends with the interpreter if the thread cannot be started`() throws {
        let steps = FailureWalk([.threadStart, .memory, .readerRegistration]).run(surfacing: isTyped) {
            let plan = FailurePlan.current!
            plan.endShortage()
            let world = try World()
            defer { #expect(throws: Never.self) { try world.end() } }
            var kept: Handle<Node>? = try world.interpreter.withThread { thread in
                try thread.make(world.nodes, Node(number: 1))
            }
            plan.beginShortage()
            defer { plan.endShortage() }
            // This thread has no state attached: here the handle cannot end.
            let started = try world.interpreter.startThread(kept.take()!) { thread, handle in
                handle.end(by: thread)
            }
            try started.join()
        }
        #expect(steps.count(of: .threadStart, .surfaced) == 1)
        #expect(steps.count(of: .readerRegistration, .surfaced) == 1)
    }

    /// There is no shutdown left to end it in.
    @Test func `a handle given to a thread that a closed interpreter refuses ends the process and says so`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let world = try World()
            let handle = try world.interpreter.withThread { thread in try thread.make(world.nodes, Node()) }
            try world.interpreter.shutdown()
            try world.interpreter.startThread(handle) { thread, handle in handle.end(by: thread) }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a handle ends after its interpreter"))
    }
}

private func isTyped(_ error: any Error) -> Bool {
    switch error {
    case is OutOfMemory, TypeError.outOfMemory, RuntimeError.system, RuntimeError.thread(.outOfResources),
        RuntimeError.collection(.outOfMemory), RuntimeError.collection(.thread(.outOfResources)):
        true
    default: false
    }
}

/// A runtime with two interpreters, threads, containers, collections and stops, ended in good order whatever fails.
private func runProgram() throws {
    let runtime = try Runtime()
    defer { end { () throws(RuntimeError) in try runtime.shutdown() } }
    let nodes = try runtime.makeType(Node.self)
    let free = try runtime.makeInterpreter(name: "free")
    defer { end { () throws(RuntimeError) in #expect(try free.shutdown().unfreedBlockCount == 0) } }
    let locked = try runtime.makeInterpreter(name: "locked", lock: .own)
    defer { end { () throws(RuntimeError) in #expect(try locked.shutdown().unfreedBlockCount == 0) } }
    for interpreter in [free, locked] {
        try interpreter.withThread { thread in
            let list = try thread.makeList()
            let table = try thread.makeDictionary()
            for number in 0..<20 {
                let node = try thread.make(nodes, Node(number: number))
                try list.append(node, by: thread)
                try table.insert("key \(number)", node, by: thread)
            }
            let big = try thread.makeArray(count: 40_000)
            big.store(list, at: 0, by: thread)
            let started = try interpreter.startThread(list.copy(by: thread)) { thread, list in
                _ = try list.removeLast(by: thread)
                list.end(by: thread)
            }
            try started.join()
            try thread.collect()
            #expect(try interpreter.statistics().census.objectCount > 20)
            try interpreter.withWorldStopped {}
        }
        let host = try interpreter.makeHostThread()
        try host.withAttached { thread in thread.safepoint() }
        try host.end()
        try interpreter.collect()
    }
}

/// Ends something that may be refused what it needs to begin: then once more, with the shortage over.
private func end(_ body: () throws(RuntimeError) -> Void) {
    do throws(RuntimeError) { try body() } catch {
        #expect(isTyped(error))
        FailurePlan.current?.endShortage()
        #expect(throws: Never.self) { try body() }
    }
}

private final class Kept {
    var handle: Handle<ManagedList>?
    init(_ handle: consuming Handle<ManagedList>) { self.handle = consume handle }
}

private func fill(_ world: World) throws {
    try world.interpreter.withThread { thread in
        let list = try thread.makeList()
        for number in 0..<100 {
            try list.append(thread.make(world.nodes, Node(number: number)), by: thread)
        }
    }
}
