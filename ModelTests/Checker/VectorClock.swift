// Happens-before, as numbers: each thread counts its events; a clock says, for each thread, up to which of
// its events something has happened. Event i of thread u happens before what has clock c when i <= c[u].

/// One number a thread. Signed, since the baseline of x86-64 compares only signed lanes.
typealias Clock = SIMD8<Int32>

/// How many threads a model can have, the one that sets it up included.
public let maximumThreadCount = Clock.scalarCount

extension SIMD8<Int32> {
    /// Later than every event: not happened.
    static var never: Clock { Clock(repeating: .max) }

    @inline(__always) mutating func join(_ other: Clock) {
        replace(with: other, where: other .> self)
    }
}

/// What a thread has done and seen up to a moment, to be handed to another: by a lock, a grace period.
public struct ClockSnapshot: Sendable {
    var clock: Clock

    /// Nothing has happened yet.
    public init() { clock = .zero }

    /// Both.
    public mutating func join(_ other: ClockSnapshot) { clock.join(other.clock) }
}
