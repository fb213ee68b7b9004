/// Makes blocks and forgets them: a tool that looks for leaks must report them.
enum DeliberateLeak: Scenario {
    static let name = "deliberate-leak"
    static let summary = "blocks that nobody frees, which AddressSanitizer and valgrind must report"
    static let expectation = Expectation.leaks
    static let smoke = SmokeBudget(operations: 100, seconds: 0.5)

    static func run(_ context: StressContext) throws {
        try context.runWorkers { worker in
            for _ in 0..<25 {
                forgetBlock()
                worker.countOperation()
            }
        }
    }

    /// Out of line, and the last address is overwritten, so that no register or stack slot keeps a block alive.
    @inline(never)
    private static func forgetBlock() {
        UnsafeMutableRawPointer.allocate(byteCount: 48, alignment: 16).storeBytes(of: 1, as: Int.self)
    }
}
