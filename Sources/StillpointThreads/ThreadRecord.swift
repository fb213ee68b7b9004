// The record of a thread state. It begins with floor 2's part, so that one pointer, kept in one thread-local
// variable, serves all floors; the floors above this one lay theirs around it in the same way.

public import StillpointMemory
public import StillpointPlatform
public import StillpointSynchronization

/// A thread state, in raw memory from `Roster.makeThread` to its deletion.
@safe public struct ThreadRecord: ~Copyable {
    /// The word, and the deferred frees. First, at offset 0.
    public var participant: Participant

    /// The pages this thread state allocates from. owner only, or world stopped, or held
    public var heap: ThreadHeap

    /// immutable
    public let roster: UnsafeMutablePointer<Roster>
    /// A number that no other thread state of the runtime has or had. immutable
    public let identifier: UInt64

    /// The OS thread it is bound to (its reader number, which is never used again), 0 before that. written once by
    /// its owner, or by who cleared it; atomic, relaxed: only the owner's own value matters to the comparison
    @usableFromInline let boundThread = Atomic<UInt>(0)

    /// Whether attach and detach have more to do than change the word: the interpreter has a lock, critical
    /// sections are open, or the world is stopped by this thread. owner only
    @usableFromInline var needsSlowTransition: Bool
    /// The innermost critical section. owner only
    var topSection: UnsafeMutablePointer<SectionRecord>?
    /// The address of the object lock that the owner is parked on, 0 while none. atomic, no edge: the pause
    /// that reads it has the owner suspended
    let parkedOn = Atomic<UInt>(0)

    /// Whether its owner has detached it inside a scope, to come back. atomic, no edge: an OS thread asks it of its own
    let isAway = Atomic<Bool>(false)

    /// The stop that has counted this thread. written by the stopper before it sets stopRequested [ask]
    var stop: UnsafeMutablePointer<Stop>?
    /// How many destroy functions this thread runs, one inside the other: it must not wait. owner only
    var waitingBanDepth = 0
    /// How many stops this thread has under way, one inside the other. owner only
    var stopDepth = 0
    /// Whether the thread is inside `safepoint`'s slow path. owner only
    var isAtSafepoint = false
    /// Whether `clear` was called. owner, or held
    var isCleared = false

    /// Links of the roster. guarded by the roll
    var next: UnsafeMutablePointer<ThreadRecord>?
    var previous: UnsafeMutablePointer<ThreadRecord>?

    init(
        roster: UnsafeMutablePointer<Roster>, identifier: UInt64, word: UInt32,
        heap: consuming ThreadHeap, signal: UnsafeMutablePointer<ServiceSignal>
    ) {
        unsafe participant = Participant(word: word, signal: signal)
        unsafe self.heap = unsafe heap
        unsafe self.roster = roster
        self.identifier = identifier
        needsSlowTransition = unsafe roster.pointee.lock != nil
        unsafe topSection = nil
        unsafe stop = nil
        unsafe next = nil
        unsafe previous = nil
    }

    /// The interpreter's runtime.
    public var world: UnsafeMutablePointer<World> { unsafe roster.pointee.world }
}

/// What the floors above do for a thread record at the moments that belong to this floor. Set when a runtime is
/// made. Both pointers are to a `ThreadRecord` (a C function cannot say so): `thread` is the record concerned; `by`
/// is the record of the attached thread that does the work, which is another one when the service thread or a
/// clearing thread works on a held thread's behalf.
@safe public struct ThreadHooks {
    public typealias Hook = @convention(c) (
        _ thread: UnsafeMutableRawPointer, _ by: UnsafeMutableRawPointer
    ) -> Void

    /// Size of the whole record, of every floor, in bytes.
    public var recordByteCount = MemoryLayout<ThreadRecord>.stride
    /// Initialises what lies behind floor 4's part, before anybody can see the record; false when the runtime
    /// has no more identities to give.
    public var initialize: (@convention(c) (_ thread: UnsafeMutableRawPointer) -> Bool)?
    /// Makes `thread` one that others may find and hand work to. Called once it is listed: a pause that walks over the
    /// threads must see whatever is handed to it.
    public var publish: (@convention(c) (_ thread: UnsafeMutableRawPointer) -> Void)?
    /// Merges the counts queued to `thread`.
    public var merge: Hook?
    /// Collects the interpreter of `thread`; `by` is the same.
    public var collect: Hook?
    /// Empties free lists and queues of `thread`, before its heap is abandoned.
    public var clear: Hook?
    /// Ends what `initialize` began. Nobody else sees the record any more.
    public var deinitialize: (@convention(c) (_ thread: UnsafeMutableRawPointer) -> Void)?

    public init() {}
}

extension UnsafeMutablePointer where Pointee == ThreadRecord {
    /// The address of the word, to sleep on.
    var wordAddress: UnsafePointer<Atomic<UInt32>> {
        // The record stays where it is until it is freed, so the address outlives the closure.
        unsafe withUnsafePointer(to: pointee.participant.word) { unsafe $0 }
    }

    /// Floor 2's part, which is the record's beginning.
    public var participant: UnsafeMutablePointer<Participant> {
        unsafe withUnsafePointer(to: pointee.participant) { unsafe .init(mutating: $0) }
    }

    /// The deferred frees. By its own address: a change in place through the record would look to
    /// ThreadSanitizer like a change of the whole record, the word included.
    public var deferred: UnsafeMutablePointer<DeferredQueue> {
        unsafe withUnsafePointer(to: pointee.participant.deferred) { unsafe .init(mutating: $0) }
    }

    /// Floor 3's part, which lies behind floor 2's. By its offset: a heap has no atomics in it, so a borrow of it may be
    /// of a copy, and a change in place would look to ThreadSanitizer like one of the whole record.
    @inlinable @inline(__always)
    public var heap: UnsafeMutablePointer<ThreadHeap> {
        let alignment = unsafe MemoryLayout<ThreadHeap>.alignment
        let offset = (MemoryLayout<Participant>.size + alignment - 1) & ~(alignment - 1)
        return unsafe (UnsafeMutableRawPointer(self) + offset)
            .assumingMemoryBound(to: ThreadHeap.self)
    }

    /// Whether the parts are where the accessors above look for them. Nobody else sees the record yet.
    func checkLayout() {
        require(
            unsafe withUnsafeMutablePointer(to: &pointee.heap) { unsafe $0 == heap },
            "floor 3's part of a thread record is elsewhere")
        require(
            unsafe withUnsafeMutablePointer(to: &pointee.participant) {
                unsafe UnsafeMutableRawPointer($0) == UnsafeMutableRawPointer(self)
                    && $0 == participant
            },
            "floor 2's part of a thread record is not its beginning")
    }

    /// Says anew whether attach and detach have more to do than change the word.
    func updateTransition() {
        unsafe pointee.needsSlowTransition = pointee.roster.pointee.lock != nil
            || pointee.topSection != nil || pointee.stopDepth > 0 || pointee.waitingBanDepth > 0
    }

    /// Whether the thread has the world stopped. Owner only.
    public var isStopping: Bool { unsafe pointee.stopDepth > 0 }

    /// Says whether the owner is away: detached, to come back. Owner only.
    public func setAway(_ isAway: Bool) { unsafe pointee.isAway.store(isAway, ordering: .relaxed) }

    /// Around a destroy function of an embedder's: it must neither detach nor stop the world, since it may run on
    /// behalf of a held thread; a safepoint inside it does nothing. Owner only.
    public func banWaiting() {
        unsafe pointee.waitingBanDepth = pointee.waitingBanDepth + 1
        unsafe updateTransition()
    }

    /// Takes `banWaiting` back.
    public func allowWaiting() {
        assert(unsafe pointee.waitingBanDepth > 0, "waiting allowed that was not banned")
        unsafe pointee.waitingBanDepth = pointee.waitingBanDepth - 1
        unsafe updateTransition()
    }

    /// Frees `block` by `free` once a grace period has passed. Owner only.
    /// - Parameter byteCount: what the block holds back, in bytes. Past the hard limit the next safepoint waits.
    /// - Throws: `PlatformError` when there is no memory for the queue; nothing was deferred then.
    public func deferFree(
        of block: UnsafeMutableRawPointer, byteCount: Int, free: @escaping DeferredFree
    ) throws(PlatformError) {
        try unsafe deferred.pointee.append(block, byteCount: byteCount, free: free)
        // The limit holds whatever the service thread is busy with.
        if unsafe deferred.pointee.isOverHardLimit { unsafe setDue(ThreadWord.deferredDue) }
    }

    /// Loads the word. `ordering` at the caller's: most loads only choose a path.
    @inlinable @inline(__always)
    func loadWord() -> UInt32 {
        unsafe pointee.participant.word.load(ordering: .relaxed)
    }

    /// Sets bits of the word for the thread's next safepoint. [due] the setter's writes  ->  that safepoint
    public func setDue(_ bits: UInt32) {
        unsafe pointee.participant.word.bitwiseOr(bits, ordering: .releasing)
    }

    /// Clears bits of the word before the work that they announce is done. [due]
    func takeDue(_ bits: UInt32) -> Bool {
        if unsafe loadWord() & bits == 0 { return false }
        let before = unsafe pointee.participant.word.bitwiseAnd(
            ~bits, ordering: .acquiring).oldValue
        return before & bits != 0
    }
}
