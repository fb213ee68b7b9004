// How any thread tells a runtime's service thread that work is overdue.
//
// The signal is one word of request bits. A requester sets its bit; only the one that finds it not set
// wakes the sleeper, so a burst of requests costs one system call. The service thread takes all bits at once.
//
// S1  A bit once set is seen by a later `take`, or by the wait under way, which then ends.
// [request]  the requester's writes before `request`  ->  the service thread's reads after `take`

public import StillpointPlatform

/// Request bits for one service thread. Any thread may request; one thread waits and takes.
public struct ServiceSignal: ~Copyable {
    /// atomic, edges [request]
    @usableFromInline let bits = Atomic<UInt32>(0)

    public init() {}

    /// Asks for the work that `bit` stands for. Wait-free but for a wake-up when the bit was not set.
    public static func request(_ bit: UInt32, of signal: UnsafeMutablePointer<ServiceSignal>) {
        // Always a read-modify-write, though most requests repeat one that is pending: a load that found the bit set
        // could be satisfied before our earlier stores are visible, and the take that follows would miss them.
        // releasing: [request]. A requester reads nothing of what others wrote.
        let before = unsafe signal.pointee.bits.bitwiseOr(bit, ordering: .releasing).oldValue
        if before & bit == 0 { unsafe Futex.wake(signal.pointee.address) }
    }

    /// Takes every bit that is set.
    public static func take(from signal: UnsafeMutablePointer<ServiceSignal>) -> UInt32 {
        unsafe signal.pointee.bits.exchange(0, ordering: .acquiring)  // [request]
    }

    /// Sleeps until a bit is set or the monotonic clock reaches `deadline` (`nil`: no end).
    public static func wait(
        on signal: UnsafeMutablePointer<ServiceSignal>, untilNanoseconds deadline: UInt64?
    ) {
        while unsafe signal.pointee.bits.load(ordering: .relaxed) == 0 {
            let outcome = unsafe Futex.wait(
                on: signal.pointee.address, while: 0, untilNanoseconds: deadline)
            if outcome == .timedOut { return }
        }
    }

    /// Sleeps until one of the bits `urgent` is set or the monotonic clock reaches `deadline`. Takes none.
    public static func linger(
        on signal: UnsafeMutablePointer<ServiceSignal>, unlessAny urgent: UInt32,
        untilNanoseconds deadline: UInt64
    ) {
        while true {
            let bits = unsafe signal.pointee.bits.load(ordering: .relaxed)
            if bits & urgent != 0 { return }
            let outcome = unsafe Futex.wait(
                on: signal.pointee.address, while: bits, untilNanoseconds: deadline)
            if outcome == .timedOut { return }
        }
    }

    private var address: UnsafePointer<Atomic<UInt32>> {
        // The word lives in raw memory that its runtime owns, so its address stays.
        unsafe withUnsafePointer(to: bits) { unsafe $0 }
    }
}
