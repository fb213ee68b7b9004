// Floor 2's part of the per-thread record: the word that a safepoint polls, and the frees that this thread has
// put off until a grace period has passed.

public import StillpointPlatform

/// One thread state as reclamation knows it. It lives in raw memory at the start of the record of the floor
/// above, from `Reclamation.enlist` to `Reclamation.dismiss`.
@safe public struct Participant: ~Copyable {
    /// The word that `safepoint()` loads. Bit 31 is reclamation's; the others are defined by the floor of
    /// thread states (`ThreadWord`). Every change is a read-modify-write that keeps the other bits.
    /// atomic, edges by bit
    public let word: Atomic<UInt32>

    /// The frees put off by this thread state. owner only, or whoever holds the owner suspended.
    public var deferred: DeferredQueue

    /// Links of `Reclamation`'s roll. guarded by `Reclamation.rollLock`
    var next: UnsafeMutablePointer<Participant>?
    var previous: UnsafeMutablePointer<Participant>?

    /// Bit 31 of `word`: a grace period is waiting for this thread's quiescent state.
    public static let quiescenceWanted: UInt32 = 1 << 31

    public init(word initial: UInt32, signal: UnsafeMutablePointer<ServiceSignal>) {
        word = Atomic(initial)
        unsafe deferred = DeferredQueue(signal: signal)
        unsafe next = nil
        unsafe previous = nil
    }
}
