// The monotonic clock.
public import Glibc

/// Time that never goes back, in nanoseconds.
public enum MonotonicClock {
    /// Nanoseconds since a fixed point in the past.
    @inlinable
    public static func nanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
