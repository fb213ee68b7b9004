// The driver's own thread: tells runs when they are over, ends the process if one is stuck, and knows whom to ask how
// much is alive.

import Glibc
import StillpointPlatform

/// What the process's runs have alive, as far as they tell. For script/soak.
struct LiveCounts: Codable {
    var runs = 0
    var interpreters = 0
    var threadStates = 0
    var objects = 0
    var heapCommittedBytes = 0
}

final class Monitor: Sendable {
    private struct Observers {
        var asked: [Int: @Sendable (inout LiveCounts) -> Void] = [:]
        var count = 0
    }

    private let runs = Guarded<[ObjectIdentifier: StressContext]>([:])
    private let observers = Guarded(Observers())

    /// A run that is not over so long after its end is stuck.
    private static let patienceNanoseconds: UInt64 = 60_000_000_000
    private static let tickNanoseconds: UInt64 = 5_000_000

    func begin(_ run: StressContext) {
        runs.withLock { $0[ObjectIdentifier(run)] = run }
    }

    func end(_ run: StressContext) {
        runs.withLock { $0[ObjectIdentifier(run)] = nil }
    }

    /// Asks `observer` for what is alive until the result is given to `forget`. It is called on threads of the
    /// driver's.
    func observe(_ observer: @escaping @Sendable (inout LiveCounts) -> Void) -> Int {
        observers.withLock {
            $0.count += 1
            $0.asked[$0.count] = observer
            return $0.count
        }
    }

    /// The observer is not called any more. Not by a thread that is attached: a call under way may stop the world.
    func forget(_ observer: Int) { observers.withLock { $0.asked[observer] = nil } }

    func liveCounts() -> LiveCounts {
        var counts = LiveCounts()
        counts.runs = runs.withLock { $0.count }
        observers.withLock { for observer in $0.asked.values { observer(&counts) } }
        return counts
    }

    // MARK: Its thread

    func start() throws {
        try SystemThread.start(
            name: "monitor", argument: Unmanaged.passRetained(self).toOpaque(), body: runMonitor
        ).detach()
    }

    fileprivate func watch() -> Never {
        while true {
            let now = MonotonicClock.nanoseconds()
            for run in runs.withLock({ Array($0.values) }) {
                run.endIfDue(at: now)
                if now > run.deadlineNanoseconds + Self.patienceNanoseconds {
                    run.report("still running a minute after its end: stuck")
                    abort()
                }
            }
            SystemThread.sleep(untilNanoseconds: now + Self.tickNanoseconds)
        }
    }
}

private func runMonitor(_ monitor: UnsafeMutableRawPointer?) {
    Unmanaged<Monitor>.fromOpaque(monitor!).takeUnretainedValue().watch()
}
