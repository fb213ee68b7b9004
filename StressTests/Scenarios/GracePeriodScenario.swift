import StillpointPlatform
import StillpointSynchronization
import StillpointThreads
import Synchronization

/// A table that readers look at without a lock, and writers replace; the old one is freed after a grace period, and overwritten
/// as it is. A reader that finds the overwriting held a pointer over a grace period. Threads detach for long, so that
/// the service thread frees on their behalf, and end with frees still deferred.
enum GracePeriodScenario: Scenario {
    static let name = "grace-periods"
    static let summary = "lock-free readers against writers whose old tables are freed after a grace period"

    struct Table {
        static let alive: UInt64 = 0x5afe_5afe_5afe_5afe
        static let dead: UInt64 = 0xdead_dead_dead_dead
        var words: InlineArray<8, UInt64> = InlineArray(repeating: Table.alive)
    }

    struct State: ~Copyable {
        let table: Atomic<UInt>
        let made = Atomic<Int>(1)
    }

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(interpreterCount: 2)
        let state = Shared(State(table: Atomic(UInt(bitPattern: makeTable()))))
        freedTables.store(0, ordering: .relaxed)
        try context.runWorkers { worker in
            while worker.isRunning {
                try runtime.interpreters[worker.index % 2].withThread { thread in
                    for _ in 0..<200 where worker.isRunning {
                        if worker.random.oneIn(8) {
                            try replace(state.pointer, by: thread)
                        } else {
                            read(state.pointer, &worker)
                        }
                        worker.countOperation()
                        try thread.rest(&worker)
                    }
                }
            }
        }
        freeTable(UnsafeMutableRawPointer(bitPattern: state.pointer.pointee.table.load(ordering: .relaxed))!, nil)
        runtime.end()  // frees all that is still deferred
        let made = state.pointer.pointee.made.load(ordering: .relaxed)
        let freed = freedTables.load(ordering: .relaxed)
        context.check(made == freed, "\(made) tables were made, \(freed) freed")
        state.destroy()
    }

    private static func read(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        let address = state.pointee.table.load(ordering: .acquiring)  // with `replace`
        let table = UnsafePointer<Table>(bitPattern: address)!
        for index in 0..<8 {
            if index == 4 { worker.chaos() }
            worker.context.check(
                table.pointee.words[index] == Table.alive, "a reader sees a table that was freed")
        }
    }

    private static func replace(_ state: UnsafeMutablePointer<State>, by thread: ThreadPointer) throws {
        let old = state.pointee.table.exchange(
            UInt(bitPattern: makeTable()), ordering: .acquiringAndReleasing)
        state.pointee.made.wrappingAdd(1, ordering: .relaxed)
        // A made-up size, so that the soft and the hard limit are met.
        try thread.deferFree(
            of: UnsafeMutableRawPointer(bitPattern: old)!, byteCount: 100_000, free: freeTable)
    }

    private static func makeTable() -> UnsafeMutableRawPointer {
        let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        table.initialize(to: Table())
        return UnsafeMutableRawPointer(table)
    }
}

/// A C function has no context, hence a global.
private let freedTables = Atomic<Int>(0)

private func freeTable(_ block: UnsafeMutableRawPointer, _ thread: UnsafeMutableRawPointer?) {
    let table = block.assumingMemoryBound(to: GracePeriodScenario.Table.self)
    table.pointee.words = InlineArray(repeating: GracePeriodScenario.Table.dead)
    table.deallocate()
    freedTables.wrappingAdd(1, ordering: .relaxed)
}
