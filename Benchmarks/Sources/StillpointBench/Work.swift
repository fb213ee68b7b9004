// Work that costs a known time and touches no memory: what threads do between the calls that are measured.

import StillpointPlatform

/// A sequence that the compiler cannot leave out, each step waiting for the one before.
struct Work {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    /// A chain of `steps` shifts and exclusive ors, about two nanoseconds each.
    @inline(never)
    @discardableResult
    mutating func run(steps: Int) -> UInt64 {
        for _ in 0..<steps {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
        }
        return state
    }

    /// A number below `limit`, for irregular spacing.
    mutating func number(below limit: Int) -> Int { Int(run(steps: 1) % UInt64(limit)) }

    /// How many steps take a microsecond here.
    static let stepsPerMicrosecond: Int = {
        var work = Work(seed: 1)
        let steps = 100_000
        let fastest = (0..<9).map { _ in
            nanoseconds { work.run(steps: steps) }
        }.min() ?? 1
        return max(1, Int(Double(steps) * 1000 / fastest))
    }()
}

/// How long `body` takes, in nanoseconds.
@inline(__always)
func nanoseconds<Result>(_ body: () throws -> Result) rethrows -> Double {
    let begun = MonotonicClock.nanoseconds()
    _ = try body()
    return Double(MonotonicClock.nanoseconds() - begun)
}

func sleep(nanoseconds: UInt64) {
    SystemThread.sleep(untilNanoseconds: MonotonicClock.nanoseconds() + nanoseconds)
}
