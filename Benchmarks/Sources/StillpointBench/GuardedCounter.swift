// A counter in plain memory behind a lock: one body of loops, specialised for each lock.

import StillpointPlatform
import StillpointSynchronization
import Synchronization

protocol GuardedCounter: AnyObject, Sendable {
    /// Runs `body` on the counter with the lock held.
    func withLock<Result>(_ body: (inout UInt64) -> Result) -> Result
}

/// Behind our mutex.
final class Parking: GuardedCounter, @unchecked Sendable {
    private let mutex = ParkingMutex()
    private let counter: UnsafeMutablePointer<UInt64>

    init() {
        counter = .allocate(capacity: 1)
        counter.initialize(to: 0)
    }

    deinit { counter.deallocate() }

    @inline(__always)
    func withLock<Result>(_ body: (inout UInt64) -> Result) -> Result {
        mutex.withLock { body(&counter.pointee) }
    }
}

/// Behind Swift's.
final class Standard: GuardedCounter, @unchecked Sendable {
    private let mutex = Mutex<UInt64>(0)

    @inline(__always)
    func withLock<Result>(_ body: (inout UInt64) -> Result) -> Result {
        mutex.withLock { value in body(&value) }
    }
}

extension GuardedCounter {
    /// Adds one `turns` times, a lock each.
    @inline(never)
    func add(_ turns: Int) {
        for _ in 0..<turns { withLock { $0 &+= 1 } }
    }

    /// Adds one until the counter has reached `limit`, with work inside the lock and outside.
    @inline(never)
    func addWorking(until limit: UInt64, sectionSteps: Int, outsideSteps: Int, seed: UInt64) {
        var work = Work(seed: seed)
        while withLock({ counter -> Bool in
            work.run(steps: sectionSteps)
            counter &+= 1
            return counter < limit
        }) {
            work.run(steps: outsideSteps)
        }
    }

    /// The same for a time; what each lock was waited for.
    @inline(never)
    func waits(
        forNanoseconds: UInt64, sectionSteps: Int, outsideSteps: Int, seed: UInt64
    ) -> Durations {
        var work = Work(seed: seed)
        var waits = Durations()
        let end = MonotonicClock.nanoseconds() + forNanoseconds
        var begun = MonotonicClock.nanoseconds()
        while begun < end {
            let entered = withLock { counter in
                let entered = MonotonicClock.nanoseconds()
                work.run(steps: sectionSteps)
                counter &+= 1
                return entered
            }
            waits.record(entered - begun)
            work.run(steps: outsideSteps)
            begun = MonotonicClock.nanoseconds()
        }
        return waits
    }
}
