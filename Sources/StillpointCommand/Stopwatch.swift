// Wall time, from the monotonic clock.
import Foundation

struct Stopwatch {
    private let start = Stopwatch.nanoseconds()

    var elapsedNanoseconds: UInt64 { Self.nanoseconds() - start }

    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
