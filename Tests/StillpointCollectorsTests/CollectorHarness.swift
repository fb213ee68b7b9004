// What the tests of this floor share: one interpreter put together from the floors below, without floor 7.

import StillpointMemory
import StillpointObjects
import StillpointPlatform
import StillpointThreads

@testable import StillpointCollectors

struct Node: ManagedPayload {
    var number = 0
    var left = Field<Node>()
    var right = Field<Node>()
    static var references: [PartialKeyPath<Node>] { [\.left, \.right] }
}

/// A payload that has something to run at its end: an instance of a class.
struct Watched: ManagedPayload {
    var next = Field<Watched>()
    let token: Token
    static var references: [PartialKeyPath<Watched>] { [\.next] }

    final class Token {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
        deinit { body() }
    }
}

typealias Thread = UnsafeMutablePointer<ObjectThread>

final class CollectorHarness: @unchecked Sendable {
    let world: UnsafeMutablePointer<World>
    let runtime: UnsafeMutablePointer<RuntimeObjects>
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    let objects: UnsafeMutablePointer<InterpreterObjects>
    let collector: UnsafeMutablePointer<CollectorState>
    let nodes: ManagedType<Node>
    let watched: ManagedType<Watched>

    init() throws {
        var hooks = ThreadHooks()
        ObjectHooks.install(into: &hooks)
        Collector.install(into: &hooks)
        world = try World.make(hooks: hooks)
        runtime = try RuntimeObjects.make()
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        roster = try Roster.make(in: world, heap: heap)
        objects = try InterpreterObjects.make(for: roster, in: runtime)
        collector = try CollectorState.make(for: objects)
        collector.pointee.isVerifying = true
        collector.setThreshold()
        nodes = try runtime.types.add(Node.self)
        watched = try runtime.types.add(Watched.self)
    }

    func end() {
        Roster.close(roster)
        Roster.destroy(roster)
        InterpreterObjects.destroy(objects)
        CollectorState.destroy(collector)
        heap.deinitialize(count: 1)
        heap.deallocate()
        World.destroy(world)
        RuntimeObjects.destroy(runtime)
    }

    /// Runs `body` with a new thread state attached.
    func withThread<Result>(_ body: (Thread) throws -> Result) throws -> Result {
        let record = try Roster.makeThread(in: roster)
        try Attachment.attach(record)
        defer {
            try! Roster.clear(record, by: record)
            Roster.deleteCurrent(record)
        }
        return try body(Thread(record))
    }

    /// A node that refers to what `left` and `right` name.
    func node(
        _ number: Int, _ left: borrowing Handle<Node>, _ right: borrowing Handle<Node>, by thread: Thread
    ) throws -> Handle<Node> {
        try Handle.make(nodes, Node(number: number, left: Field(left), right: Field(right)), by: thread)
    }

    func leaf(_ number: Int, by thread: Thread) throws -> Handle<Node> {
        try Handle.make(nodes, Node(number: number), by: thread)
    }
}

/// Handles in an array.
final class Root {
    var handle: Handle<Node>?
    init(_ handle: consuming Handle<Node>) { self.handle = consume handle }
    func end(by thread: Thread) { handle.take()!.end(by: thread) }
}

func number(of handle: borrowing Handle<Node>) -> Int { handle.payload.pointee.number }
