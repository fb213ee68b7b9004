// What the tests of the face share. It imports the face alone, as an embedder does.

import Foundation
import Stillpoint
import Synchronization

struct Node: ManagedPayload {
    var number = 0
    var next = Field<Node>()
    var other = Field<Node>()
    static var references: [PartialKeyPath<Node>] { [\.next, \.other] }
}

/// A payload whose end is counted.
struct Counted: ManagedPayload {
    let tally: Tally
    var next = Field<Counted>()
    let token: Token

    init(_ tally: Tally, next: Field<Counted> = Field()) {
        self.tally = tally
        self.next = next
        token = Token(tally)
    }

    static var references: [PartialKeyPath<Counted>] { [\.next] }

    /// A class instance in a payload: its deinit runs when the payload is destroyed.
    final class Token: Sendable {
        let tally: Tally
        init(_ tally: Tally) {
            self.tally = tally
            tally.made.add(1, ordering: .relaxed)
        }
        deinit { tally.ended.add(1, ordering: .relaxed) }
    }
}

final class Tally: Sendable {
    let made = Atomic<Int>(0)
    let ended = Atomic<Int>(0)
}

/// A runtime with one type and one interpreter, for the length of a test.
struct World {
    let runtime: Runtime
    let nodes: ManagedType<Node>
    let interpreter: Interpreter

    init(lock: LockMode = .byOptions, _ change: (inout RuntimeOptions) -> Void = { _ in }) throws {
        var options = RuntimeOptions()
        options.verifiesCollections = true
        change(&options)
        runtime = try Runtime(options)
        nodes = try runtime.makeType(Node.self)
        interpreter = try runtime.makeInterpreter(lock: lock)
    }

    /// Ends it; the report of the interpreter.
    @discardableResult
    func end() throws -> ShutdownReport {
        let report = try interpreter.shutdown()
        try runtime.shutdown()
        return report
    }
}

/// A flag and a counter among a test's threads.
final class Signal: Sendable {
    private let flag = Atomic<Bool>(false)
    private let counter = Atomic<Int>(0)

    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
    var count: Int { counter.load(ordering: .acquiring) }
    @discardableResult
    func add() -> Int { counter.add(1, ordering: .acquiringAndReleasing).newValue }
}

/// Polls until `signal` is set.
func wait(for signal: Signal, _ thread: borrowing ManagedThread) {
    while !signal.isSet {
        thread.safepoint()
        sched_yield()
    }
}
