import StillpointPlatform
import Synchronization

/// Threads add to one number by a load and a store, with room for others in between. Each access is atomic, so no
/// sanitizer objects; but additions get lost, and the check at the end must see it.
enum LostUpdate: Scenario {
    static let name = "lost-update"
    static let summary = "additions by load and store, some of which must get lost"
    static let expectation = Expectation.fails
    static let smoke = SmokeBudget(operations: 200_000, seconds: 1)

    static func run(_ context: StressContext) throws {
        let number = Shared(Atomic<Int>(0))
        defer { number.destroy() }
        try context.runWorkers(max(2, context.threadCount)) { worker in
            while worker.isRunning {
                // relaxed: the mistake is not one of ordering.
                let seen = number.pointer.pointee.load(ordering: .relaxed)
                SystemThread.yield()
                number.pointer.pointee.store(seen + 1, ordering: .relaxed)
                worker.countOperation()
            }
        }
        let found = number.pointer.pointee.load(ordering: .relaxed)
        context.check(
            found == context.operationCount,
            "\(context.operationCount) additions, but the sum is \(found)")
    }
}
