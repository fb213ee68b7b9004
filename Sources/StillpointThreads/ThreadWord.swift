// The word of a thread state: its state, and what its next safepoint has to do. One 32-bit atomic, so that a
// poll is one load and one comparison, and so that "detach" and "please stop" cannot miss each other: both
// are read-modify-writes of this word.
//
//              owner                    stopper, or the holder of a held thread
//   attached <-------> detached <------------------------------> suspended
//       |                                                            ^
//       +------------------------------------------------------------+
//                    owner, with stopRequested set
//
//   bit   name              set by                              cleared by
//   0-1   state             as drawn                            as drawn
//   2     stopRequested     stopper, while attached             owner, as it leaves `attached`
//   3     isWaiting         owner, while suspended, or as       stopper or holder, as it lets go
//                           it suspends to come back
//   4     isResumed         stopper or holder, as it lets a     owner, as it attaches
//                           waiting thread go
//   5     mergeDue          whoever queues a count              owner or holder, before it merges
//   6     collectionDue     the allocator's slow path           owner, before it collects
//   7     deferredDue       the service thread                  owner or holder, before it drains
//   8     yieldDue          who waits for the interpreter lock  owner, as it yields
//   9     isClosing         the interpreter's end               nobody
//   10    isDormant         stopper, as it lets go who does     owner as it attaches, or holder, under
//                           not wait (Dormancy.swift)           the roll
//   11    isCleared         who clears it, holding it          nobody
//   12    isHeld            who holds it (HeldThread.swift)    the holder, as it lets go
//   31    quiescenceWanted  Reclamation                         Reclamation

internal import StillpointSynchronization

/// Bits of `Participant.word` that belong to thread states; drawn in the opening comment of this file.
public enum ThreadWord {
    public static let stateMask: UInt32 = 0b11
    public static let detached: UInt32 = 0
    public static let attached: UInt32 = 1
    public static let suspended: UInt32 = 2

    public static let stopRequested: UInt32 = 1 << 2
    public static let isWaiting: UInt32 = 1 << 3
    public static let isResumed: UInt32 = 1 << 4
    public static let mergeDue: UInt32 = 1 << 5
    public static let collectionDue: UInt32 = 1 << 6
    public static let deferredDue: UInt32 = 1 << 7
    /// What the service thread does for a thread that is away.
    public static let dueWork = mergeDue | collectionDue | deferredDue
    public static let yieldDue: UInt32 = 1 << 8
    public static let isClosing: UInt32 = 1 << 9
    public static let isDormant: UInt32 = 1 << 10
    public static let isCleared: UInt32 = 1 << 11
    public static let isHeld: UInt32 = 1 << 12

    /// The state in `word`: `detached`, `attached` or `suspended`.
    @inlinable
    public static func state(_ word: UInt32) -> UInt32 { word & stateMask }

    /// Whether a thread is detached, as its owner sees it: detached, or dormant.
    @inlinable
    public static func isAway(_ word: UInt32) -> Bool {
        state(word) == detached || word & isDormant != 0
    }

    /// `word` with its state replaced.
    @inlinable
    static func with(state: UInt32, in word: UInt32) -> UInt32 { word & ~stateMask | state }

    /// What must hold of any value of the word.
    static func check(_ word: UInt32) {
        let state = state(word)
        assert(state != 3, "W1: no fourth state")
        assert(word & stopRequested == 0 || state != suspended, "W2: a stopped thread is asked again")
        assert(word & isWaiting == 0 || state == suspended, "W3: waiting means suspended")
        assert(word & isResumed == 0 || state != attached, "W4: an attached thread has resumed")
        assert(word & isDormant == 0 || state == suspended, "W5: dormant means suspended")
        assert(word & isHeld == 0 || state == suspended, "W6: held means suspended")
    }
}
