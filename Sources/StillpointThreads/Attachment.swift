// Attach and detach: the owner's moves of its word.
//
//   attach   detached -> attached, then online to liburcu, then the thread-local pointer is set
//   detach   the thread-local pointer is cleared, then offline, then attached -> detached
//            (-> suspended, and the stopper told, if a stop has asked)
//
// A1  While the thread-local pointer is set, the word is `attached` and the OS thread online, except for a
//     stopper, which is offline from its request to its end.
// A2  Every critical section of a thread is released before its word leaves `attached` (I14 of the sheet that
//     these protocols come from).
// A3  A thread that a stop has asked never becomes `detached`: its move fails against stopRequested and it
//     suspends itself instead. So a stopper walks over the threads once, and needs no rescan.
// A4  A thread that sleeps to attach, or has suspended to come back, has isWaiting set, and whoever lets it go counts it in its roster's
//     resumedCount until it attaches or says that it runs: the next stop waits for that.
// A5  Under an interpreter lock, the lock is held while attached, but by a thread that has nothing left to do
//     than to leave the list; and who is suspended lets it go before it waits.
//
// [park]    the owner's writes before it detaches or suspends  ->  the stopper's reads
// [resume]  the stopper's writes  ->  the owner's reads after it attached
// [ran]     a resumed thread is attached  ->  the next stop begins

public import CStillpoint
public import StillpointPlatform
public import StillpointSynchronization

/// Attaching and detaching thread states. Fast paths: docs/fast-paths.md.
public enum Attachment {
    /// The thread state attached on this OS thread.
    @inlinable @inline(__always)
    public static var current: UnsafeMutablePointer<ThreadRecord>? {
        unsafe sp_current_thread()?.assumingMemoryBound(to: ThreadRecord.self)
    }

    /// Attaches `thread` to the calling OS thread, waiting while its interpreter is stopped or its lock is taken.
    /// - Throws: `.alreadyAttached`, `.boundToAnotherThread`, `.cleared`, `.shuttingDown`.
    @inlinable @inline(__always)
    public static func attach(
        _ thread: UnsafeMutablePointer<ThreadRecord>
    ) throws(ThreadStateError) {
        let isPlain = unsafe thread.pointee.boundThread.load(ordering: .relaxed)
            == CallingThread.readerNumber && !thread.pointee.needsSlowTransition
            && sp_current_thread() == nil
        if isPlain,
            unsafe thread.pointee.participant.word.compareExchange(
                expected: ThreadWord.detached, desired: ThreadWord.attached,
                successOrdering: .acquiring, failureOrdering: .relaxed  // [resume]
            ).exchanged
        {
            Quiescence.goOnline()
            unsafe sp_set_current_thread(thread)
            return
        }
        try unsafe attachSlow(thread)
    }

    /// Detaches `thread`, the current thread state of this OS thread. Critical sections are released until it
    /// attaches again. Precondition: it is attached here, and has not stopped the world.
    @inlinable @inline(__always)
    public static func detach(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let isPlain = unsafe sp_current_thread() == UnsafeMutableRawPointer(thread)
            && !thread.pointee.needsSlowTransition
        if isPlain {
            sp_set_current_thread(nil)
            Quiescence.goOffline()
            if unsafe thread.pointee.participant.word.compareExchange(
                expected: ThreadWord.attached, desired: ThreadWord.detached, ordering: .releasing  // [park]
            ).exchanged {
                return
            }
            unsafe leaveAttached(thread)
            return
        }
        unsafe detachSlow(thread)
    }

    // MARK: Attaching

    @usableFromInline @inline(never)
    static func attachSlow(
        _ thread: UnsafeMutablePointer<ThreadRecord>
    ) throws(ThreadStateError) {
        if unsafe sp_current_thread() != nil { throw .alreadyAttached }
        try unsafe Roster.bind(thread)
        if unsafe ThreadWord.state(thread.loadWord()) == ThreadWord.suspended,
            unsafe StopTheWorld.isStoppedByCaller(thread.pointee.roster)
        {
            throw .stopInsideStop  // it would wait for itself
        }
        try unsafe enterAttached(thread, evenIfClosing: false)
        unsafe finishAttaching(thread)
        if unsafe thread.pointee.topSection != nil { unsafe CriticalSection.resumeTop(thread) }
    }

    /// Attaches a thread that was attached a moment ago and stepped aside inside a call of ours. It comes back even
    /// when its interpreter has begun to shut down: only those who come anew are refused.
    static func reattach(_ thread: UnsafeMutablePointer<ThreadRecord>, resumingSections: Bool = true) {
        // Throws only if somebody cleared the state of a thread that had stepped aside: a misuse.
        try! unsafe enterAttached(thread, evenIfClosing: true)
        unsafe finishAttaching(thread)
        if resumingSections, unsafe thread.pointee.topSection != nil {
            unsafe CriticalSection.resumeTop(thread)
        }
    }

    private static func finishAttaching(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        Quiescence.goOnline()
        unsafe sp_set_current_thread(thread)
    }

    /// Moves the word to `attached`, taking the interpreter lock if there is one (A5).
    private static func enterAttached(
        _ thread: UnsafeMutablePointer<ThreadRecord>, evenIfClosing: Bool
    ) throws(ThreadStateError) {
        while true {
            try unsafe waitWhileSuspended(thread, evenIfClosing: evenIfClosing)
            guard let lock = unsafe thread.pointee.roster.pointee.lock else {
                if unsafe claimAttached(thread, evenIfClosing: evenIfClosing) { return }
                continue
            }
            // Who waits for the lock must not keep a stop waiting for it to run: it says first that it does.
            unsafe clearResumed(thread)
            unsafe InterpreterLock.acquire(lock, for: thread)
            if unsafe claimAttached(thread, evenIfClosing: evenIfClosing) { return }
            unsafe InterpreterLock.release(lock)
        }
    }

    /// Tries detached -> attached, keeping what is due. False if somebody suspended the thread, or if it may not
    /// attach any more.
    private static func claimAttached(
        _ thread: UnsafeMutablePointer<ThreadRecord>, evenIfClosing: Bool
    ) -> Bool {
        var word = unsafe thread.loadWord()
        while ThreadWord.state(word) == ThreadWord.detached {
            let mayAttach = word & ThreadWord.isCleared == 0
                && (word & ThreadWord.isClosing == 0 || evenIfClosing)
            guard recheck("attach.allowed", mayAttach) else { return false }
            let desired = ThreadWord.with(state: ThreadWord.attached, in: word) & ~ThreadWord.isResumed
            ThreadWord.check(desired)
            let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                expected: word, desired: desired,
                successOrdering: .acquiring, failureOrdering: .relaxed)  // [resume]
            if done {
                if word & ThreadWord.isResumed != 0 {
                    unsafe countOutResumed(of: thread.pointee.roster)
                }
                return true
            }
            word = found
        }
        require(
            ThreadWord.state(word) == ThreadWord.suspended, "a thread state attached on two threads")
        return false
    }

    /// Sleeps while the word is `suspended`. Throws `.shuttingDown` or `.cleared`, leaving nobody to wait for this
    /// thread.
    private static func waitWhileSuspended(
        _ thread: UnsafeMutablePointer<ThreadRecord>, evenIfClosing: Bool
    ) throws(ThreadStateError) {
        while true {
            let word = unsafe thread.loadWord()
            let isRefused = word & ThreadWord.isCleared != 0
                || word & ThreadWord.isClosing != 0 && !evenIfClosing
            if isRefused {
                unsafe thread.pointee.participant.word.bitwiseAnd(
                    ~ThreadWord.isWaiting, ordering: .relaxed)
                unsafe clearResumed(thread)
                throw word & ThreadWord.isCleared != 0 ? .cleared : .shuttingDown
            }
            if ThreadWord.state(word) != ThreadWord.suspended { return }
            if word & ThreadWord.isDormant != 0 {
                unsafe Roster.awaken(thread)
                continue
            }
            let waiting = word | ThreadWord.isWaiting
            if word != waiting {
                // Fails if anything changed, and then we look again. No edge: the thread does nothing meanwhile.
                let (done, _) = unsafe thread.pointee.participant.word.compareExchange(
                    expected: word, desired: waiting, ordering: .relaxed)
                if !done { continue }
            }
            unsafe Futex.wait(on: thread.wordAddress, while: waiting)
        }
    }

    /// Takes isResumed back, if it is set, and says so.
    private static func clearResumed(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let before = unsafe thread.pointee.participant.word.bitwiseAnd(
            ~ThreadWord.isResumed, ordering: .acquiring  // who set it has counted before
        ).oldValue
        if before & ThreadWord.isResumed != 0 {
            unsafe countOutResumed(of: thread.pointee.roster)
        }
    }

    /// [ran] counts one thread out of those that the next stop waits for. Releasing: nothing is read after it.
    static func countOutResumed(of roster: UnsafeMutablePointer<Roster>) {
        let left = unsafe roster.pointee.resumedCount.wrappingSubtract(1, ordering: .releasing).newValue
        assert(left != UInt32.max, "more threads ran than were resumed")
        if left == 0 { unsafe Futex.wake(roster.resumedCountAddress, count: Int.max) }
    }

    // MARK: Detaching

    @usableFromInline @inline(never)
    static func detachSlow(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        require(
            unsafe sp_current_thread() == UnsafeMutableRawPointer(thread),
            "detach: this thread state is not attached on this thread")
        require(unsafe thread.pointee.stopDepth == 0, "detach: this thread has stopped the world")
        require(
            unsafe thread.pointee.waitingBanDepth == 0, "detach: inside a destroy function")
        unsafe CriticalSection.suspendAll(of: thread)  // A2
        unsafe stepAside(thread)
    }

    /// Detaches at a safepoint, to come back at once: if a stop has asked, the thread waits from this move on.
    static func pause(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        unsafe CriticalSection.suspendAll(of: thread)  // A2
        unsafe stepAside(thread, comesBack: true)
        unsafe reattach(thread)
    }

    /// Detaches without a look at critical sections: they are suspended already.
    static func stepAside(
        _ thread: UnsafeMutablePointer<ThreadRecord>, comesBack: Bool = false
    ) {
        // Once the word says detached, somebody may clear and delete the record: nothing of it is read after that.
        let lock = unsafe thread.pointee.roster.pointee.lock
        sp_set_current_thread(nil)
        Quiescence.goOffline()
        unsafe leaveAttached(thread, comesBack: comesBack)
        if let lock = unsafe lock { unsafe InterpreterLock.release(lock) }
    }

    /// attached -> detached; or -> suspended, telling the stopper, if a stop has asked (A3).
    @usableFromInline @inline(never)
    static func leaveAttached(
        _ thread: UnsafeMutablePointer<ThreadRecord>, comesBack: Bool = false
    ) {
        let world = unsafe thread.pointee.world  // not to be read after the move
        var word = unsafe thread.loadWord()
        while true {
            assert(ThreadWord.state(word) == ThreadWord.attached, "A1")
            let isAsked = word & ThreadWord.stopRequested != 0
            let suspends = unsafe isAsked
                && !world.pointee.isRescanning.load(ordering: .relaxed)
            var desired = ThreadWord.with(
                state: suspends ? ThreadWord.suspended : ThreadWord.detached, in: word)
            if suspends { desired &= ~ThreadWord.stopRequested }
            if suspends, comesBack { desired |= ThreadWord.isWaiting }
            // Acquiring [ask]: `thread.stop` was written before the bit was set. Releasing [park].
            let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                expected: word, desired: desired,
                successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
            if done {
                if suspends { unsafe Stop.arrive(at: thread.pointee.stop!) }
                break
            }
            word = found
        }
        // Who detaches with work due may stay away for long: the service thread does it then.
        if word & ThreadWord.dueWork != 0 {
            unsafe ServiceSignal.request(ServiceThread.dueWork, of: world.signal)
        }
    }
}
