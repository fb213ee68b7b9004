/// Two threads and more add to one plain number without any lock: ThreadSanitizer must report it.
enum DeliberateRace: Scenario {
    static let name = "deliberate-race"
    static let summary = "a plain race, which ThreadSanitizer must report"
    static let expectation = Expectation.reported
    static let smoke = SmokeBudget(operations: 1_000_000, seconds: 0.5)

    static func run(_ context: StressContext) throws {
        let number = Shared(0)
        defer { number.destroy() }
        try context.runWorkers(max(2, context.threadCount)) { worker in
            while worker.isRunning {
                addOne(to: number.pointer)
                worker.countOperation()
                worker.chaos()
            }
        }
    }

    /// Out of line, so that each turn of the loop reads and writes memory.
    @inline(never)
    private static func addOne(to number: UnsafeMutablePointer<Int>) {
        number.pointee += 1
    }
}
