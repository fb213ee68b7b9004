import StillpointPlatform
import StillpointThreads
import Synchronization

/// Thread states are made, attached, abandoned by their owners and cleared by others, closed off and deleted, while stops
/// come and go. Births and deaths must balance, and no stop may hang.
enum ThreadChurnScenario: Scenario {
    static let name = "thread-churn"
    static let summary = "thread states made, ended, and cleared by others, during stops"
    static let smoke = SmokeBudget(operations: 250_000)

    struct Counts: ~Copyable {
        let births = Atomic<Int>(0)
        let deaths = Atomic<Int>(0)
    }

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(context, interpreterCount: 2)
        let counts = Shared(Counts())
        try context.runWorkers { worker in
            while worker.isRunning {
                let interpreter = runtime.interpreters[worker.random.below(2)]
                switch worker.random.below(4) {
                case 0:
                    try StopTheWorld.begin(
                        runtime.world, scope: worker.random.oneIn(2) ? nil : interpreter.roster
                    ).resume()
                    worker.countStop()
                case 1:
                    // A state that this thread made, used and left, cleared by another state of the interpreter.
                    let left = try Roster.makeThread(in: interpreter.roster)
                    counts.pointer.pointee.births.wrappingAdd(1, ordering: .relaxed)
                    try Attachment.attach(left)
                    try left.rest(&worker)
                    Attachment.detach(left)
                    try interpreter.withThread { thread in
                        while true {
                            do {
                                try Roster.clear(left, by: thread)
                                break
                            } catch ThreadStateError.stillAttached {
                                // The service thread holds it for a moment.
                                Safepoint.poll(thread)
                            }
                        }
                        Roster.delete(left)
                    }
                    counts.pointer.pointee.deaths.wrappingAdd(1, ordering: .relaxed)
                default:
                    counts.pointer.pointee.births.wrappingAdd(1, ordering: .relaxed)
                    try interpreter.withThread { thread in
                        for _ in 0..<worker.random.below(4) { try thread.rest(&worker) }
                    }
                    counts.pointer.pointee.deaths.wrappingAdd(1, ordering: .relaxed)
                }
                worker.countOperation()
            }
        }
        let births = counts.pointer.pointee.births.load(ordering: .relaxed)
        let deaths = counts.pointer.pointee.deaths.load(ordering: .relaxed)
        context.check(births == deaths, "\(births) births, \(deaths) deaths")
        counts.destroy()
        runtime.end()  // traps if a thread state is left
    }
}
