import StillpointPlatform
import StillpointThreads

/// Each worker owns plain memory that it changes while attached. Others change it while they hold the worker, detached, and
/// stoppers in a pause. Stops, holds and attaches meet in every order.
enum HeldThreadScenario: Scenario {
    static let name = "held-threads"
    static let summary = "work on behalf of detached threads, against attaches and stops"
    static let smoke = SmokeBudget(operations: 1_000_000)

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(context, interpreterCount: 1)
        nonisolated(unsafe) let roster = runtime.interpreters[0].roster
        let threads = try (0..<context.threadCount).map { _ in try Roster.makeThread(in: roster) }
        nonisolated(unsafe) let records = threads
        let numbers = threads.map { _ in Shared(0) }
        let totals = threads.map { _ in Shared(0) }
        try context.runWorkers { worker in
            let own = records[worker.index]
            try Attachment.attach(own)
            while worker.isRunning {
                numbers[worker.index].pointer.pointee += 1
                totals[worker.index].pointer.pointee += 1
                let other = worker.random.below(context.threadCount)
                let wasHeld = try withThreadHeld(records[other], by: own) {
                    numbers[other].pointer.pointee += 1
                }
                if wasHeld { totals[worker.index].pointer.pointee += 1 }
                worker.countOperation()
                if worker.random.oneIn(64) {
                    try StopTheWorld.with(runtime.world, scope: roster) {
                        for number in numbers { number.pointer.pointee += 1 }
                    }
                    totals[worker.index].pointer.pointee += numbers.count
                    worker.countStop()
                }
                try own.rest(&worker)
            }
            Attachment.detach(own)
        }
        let sum = numbers.reduce(0) { $0 + $1.pointer.pointee }
        let expected = totals.reduce(0) { $0 + $1.pointer.pointee }
        context.check(sum == expected, "\(expected) additions, but the sum is \(sum)")
        try runtime.interpreters[0].withThread { thread in
            for record in threads {
                try Roster.clear(record, by: thread)
                Roster.delete(record)
            }
        }
        for number in numbers + totals { number.destroy() }
        runtime.end()
    }
}
