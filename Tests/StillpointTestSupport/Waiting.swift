// Waiting that is bounded by a generous limit instead of by timing assumptions, and how long a loop of a test is.

import CStillpoint
import Glibc
import StillpointPlatform
import Testing

/// Whether memory and time cost otherwise than in an ordinary build.
public let isInstrumented = sp_has_thread_sanitizer() != 0 || sp_has_address_sanitizer() != 0

/// Sanitizer builds are slow: rounds of loops shrink there.
public func rounds(_ count: Int) -> Int { isInstrumented ? max(1, count / 10) : count }

/// Waits until `condition` holds: a minute at most, which only a hang needs.
public func eventually(_ what: String = "", _ condition: () throws -> Bool) rethrows {
    let limit = MonotonicClock.nanoseconds() + 60_000_000_000
    while try !condition() {
        if MonotonicClock.nanoseconds() > limit {
            Issue.record("waited a minute for: \(what)")
            return
        }
        sched_yield()
    }
}
