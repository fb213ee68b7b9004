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
    static let smoke = SmokeBudget(operations: 2_000_000)

    struct Table {
        static let alive: UInt64 = 0x5afe_5afe_5afe_5afe
        static let dead: UInt64 = 0xdead_dead_dead_dead
        /// Where its free is counted.
        let state: UnsafeMutablePointer<State>
        var words: InlineArray<8, UInt64> = InlineArray(repeating: Table.alive)
    }

    struct State: ~Copyable {
        let table = Atomic<UInt>(0)
        // Atomic, no edge: sums, read at the end.
        let made = Atomic<Int>(0)
        let freed = Atomic<Int>(0)
    }

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(context, interpreterCount: 2)
        let state = Shared(State())
        state.pointer.pointee.table.store(UInt(bitPattern: makeTable(in: state.pointer)), ordering: .relaxed)
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
        let freed = state.pointer.pointee.freed.load(ordering: .relaxed)
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
            UInt(bitPattern: makeTable(in: state)), ordering: .acquiringAndReleasing)
        // A made-up size, so that the soft and the hard limit are met.
        try thread.deferFree(
            of: UnsafeMutableRawPointer(bitPattern: old)!, byteCount: 100_000, free: freeTable)
    }

    private static func makeTable(in state: UnsafeMutablePointer<State>) -> UnsafeMutableRawPointer {
        let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        table.initialize(to: Table(state: state))
        state.pointee.made.wrappingAdd(1, ordering: .relaxed)
        return UnsafeMutableRawPointer(table)
    }
}

private func freeTable(_ block: UnsafeMutableRawPointer, _ thread: UnsafeMutableRawPointer?) {
    let table = block.assumingMemoryBound(to: GracePeriodScenario.Table.self)
    let state = table.pointee.state
    table.pointee.words = InlineArray(repeating: GracePeriodScenario.Table.dead)
    table.deallocate()
    state.pointee.freed.wrappingAdd(1, ordering: .relaxed)
}
