// The clock that only goes forward, read in user space (the kernel's vDSO): about 20 ns a reading.
// `Seam.swift` names it `MonotonicClock` for everybody else.

internal import Glibc

/// The system's monotonic clock. Deadlines of `Futex.wait` and of the parking lot are readings of
/// it.
public enum PosixClock {
    /// Nanoseconds since some moment before the process began. Thread-safe; never less than an
    /// earlier reading on any thread that happens before it.
    public static func nanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
