import StillpointPlatform

/// Keeps every block that it makes: script/soak must call it growth. The blocks go at the end, so that no sanitizer
/// objects.
enum DeliberateGrowth: Scenario {
    static let name = "deliberate-growth"
    static let summary = "memory that only grows, which script/soak must see"
    static let expectation = Expectation.grows
    static let smoke = SmokeBudget(operations: 100)

    private static let blockByteCount = 64 << 10

    static func run(_ context: StressContext) throws {
        try context.runWorkers(1) { worker in
            var kept: [UnsafeMutableRawPointer] = []
            while worker.isRunning {
                let block = UnsafeMutableRawPointer.allocate(byteCount: blockByteCount, alignment: 16)
                block.initializeMemory(as: UInt8.self, repeating: 1, count: blockByteCount)
                kept.append(block)
                worker.countOperation()
                SystemThread.sleep(untilNanoseconds: MonotonicClock.nanoseconds() + 5_000_000)
            }
            for block in kept { block.deallocate() }
        }
    }
}
