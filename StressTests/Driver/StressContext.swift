// What one run has in common: its options, its end, its counts, and what happens when a check fails.
//
// Counts are kept by each worker and added up when it ends: shared counters would order the threads, and so
// hide from the sanitizer, and from us, what a scenario looks for.

import Glibc
import StillpointPlatform
import Synchronization

/// One run of one scenario. Shared by all its threads.
final class StressContext: Sendable {
    let scenario: String
    let seed: UInt64
    let threadCount: Int
    /// Whether rare paths are to be common. Scenarios shrink their constants by it.
    let isTorture: Bool
    /// When workers stop, in nanoseconds of `MonotonicClock`.
    let deadlineNanoseconds: UInt64

    private let operations = Atomic<Int>(0)
    private let stops = Atomic<Int>(0)
    private let hasFailed = Atomic<Bool>(false)

    /// A run that is not over so long after its end is stuck.
    private static let patienceNanoseconds: UInt64 = 60_000_000_000

    init(scenario: String, options: StressOptions, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
        threadCount = options.threads
        isTorture = options.torture
        deadlineNanoseconds = MonotonicClock.nanoseconds() + UInt64(options.seconds * 1e9)
    }

    // relaxed, here and below: sums, read when all threads are joined.
    var operationCount: Int { operations.load(ordering: .relaxed) }
    var stopCount: Int { stops.load(ordering: .relaxed) }

    /// Whether the run is over. Reads the clock; a worker's `isRunning` does so now and then.
    var isOver: Bool { MonotonicClock.nanoseconds() >= deadlineNanoseconds }

    /// A generator for what is chosen before the workers start.
    var random: SplitMix64 { SplitMix64(seed: seed) }

    func add(operations operationCount: Int, stops stopCount: Int) {
        operations.wrappingAdd(operationCount, ordering: .relaxed)
        stops.wrappingAdd(stopCount, ordering: .relaxed)
    }

    // MARK: Findings

    /// Ends the process with a finding unless `condition` holds. Any thread may call it.
    @inline(__always)
    func check(
        _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
        file: StaticString = #fileID, line: UInt = #line
    ) {
        if !condition() { fail(message(), file: file, line: line) }
    }

    /// Ends the process with a finding: exit status 1.
    @inline(never)
    func fail(_ message: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
        report(message, file: file, line: line)
        _exit(1)
    }

    /// The first finding is printed; a thread that brings another waits for the process to end.
    private func report(_ message: String, file: StaticString, line: UInt) {
        if hasFailed.exchange(true, ordering: .relaxed) {
            while true { pause() }
        }
        StressOutput.line("finding: \(message) (\(file):\(line))")
        StressOutput.line(closingLine(findingCount: 1))
    }

    func closingLine(findingCount: Int) -> String {
        "scenario=\(scenario) operations=\(operationCount) stops=\(stopCount) findings=\(findingCount) seed=\(seed)"
    }

    // MARK: The watchdog

    /// Starts a thread that ends the process, with a core or a backtrace, if it is stuck.
    func watch() throws {
        try SystemThread.start(
            name: "watchdog", argument: Unmanaged.passRetained(self).toOpaque(), body: watchContext
        ).detach()
    }

    fileprivate func waitUntilStuck() {
        let end = deadlineNanoseconds + Self.patienceNanoseconds
        SystemThread.sleep(untilNanoseconds: end)
        report("still running a minute after its end: stuck", file: #fileID, line: #line)
        abort()
    }
}

private func watchContext(_ context: UnsafeMutableRawPointer?) {
    Unmanaged<StressContext>.fromOpaque(context!).takeUnretainedValue().waitUntilStuck()
}
