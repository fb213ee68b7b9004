// How a thread state is made, bound, cleared and deleted.
//
//   made ----bind----> bound ----clear----> cleared ----delete----> gone
//    |   its OS thread      an attached thread        its owner as it leaves,
//    |   at first attach    of the same interpreter   or whoever cleared it
//
// L1  A thread state made while its interpreter is stopped is born suspended; so it is not waited for, and
//     runs when the others do.
// L2  Only the OS thread it is bound to attaches it, and binding happens once.
// L3  It is cleared by an attached thread of its own interpreter: what it lets go is freed by that
//     interpreter's means. What is emptied is the target's, whoever clears.
// L4  The owner that ends itself goes from `attached` to unlisted under the roll, without passing `detached`:
//     nobody can suspend a record that is about to be freed. If a stop counted on it, the stop is told.
// L5  The list changes under the roll alone.
// L6  What others hand to a thread state (counts to merge) is handed only while it is listed. So a pause, which
//     empties what was handed to the listed ones, misses none.

internal import CStillpoint
internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointSynchronization

extension Roster {
    /// `boundThread` of a cleared thread state: no OS thread's.
    static let boundToNobody = UInt.max

    /// A new thread state, unbound and detached; suspended if the interpreter is stopped (L1).
    /// Any thread may call it.
    public static func makeThread(
        in roster: UnsafeMutablePointer<Roster>
    ) throws(ThreadStateError) -> UnsafeMutablePointer<ThreadRecord> {
        let world = unsafe roster.pointee.world
        require(
            unsafe world.pointee.hooks.recordByteCount >= MemoryLayout<ThreadRecord>.stride,
            "a record smaller than this floor's part of it")
        let memory: UnsafeMutableRawPointer
        do throws(PlatformError) {
            unsafe memory = try RawMemory.allocate(
                byteCount: world.pointee.hooks.recordByteCount, alignment: 128)
        } catch {
            throw .outOfResources(error)
        }
        let thread = unsafe memory.assumingMemoryBound(to: ThreadRecord.self)
        let identifier = unsafe world.pointee.nextIdentifier.wrappingAdd(
            1, ordering: .relaxed).oldValue  // uniqueness only
        unsafe thread.initialize(
            to: ThreadRecord(
                roster: roster, identifier: identifier, word: ThreadWord.detached,
                heap: ThreadHeap(of: roster.pointee.heap), signal: world.signal))
        unsafe thread.checkLayout()
        if let initialize = unsafe world.pointee.hooks.initialize, unsafe !initialize(thread) {
            unsafe free(thread)
            throw .tooManyThreadStates
        }
        do throws(PlatformError) {
            try unsafe Reclamation.enlist(thread.participant)
        } catch {
            unsafe world.pointee.hooks.deinitialize?(thread)
            unsafe free(thread)
            throw .outOfResources(error)
        }

        unsafe world.pointee.roll.lock()
        if unsafe !recheck("make.open", !roster.pointee.isClosing) {
            unsafe world.pointee.roll.unlock()
            unsafe prepareDeletion(of: thread)
            unsafe free(thread)
            throw .shuttingDown
        }
        if unsafe !recheck("make.noStop", !World.isStopActive(over: roster)) {  // L1
            unsafe thread.pointee.participant.word.bitwiseOr(
                ThreadWord.suspended, ordering: .relaxed)  // published by the roll
        }
        unsafe link(thread, dormant: false)
        unsafe roster.pointee.threadCount = roster.pointee.threadCount + 1
        unsafe world.pointee.hooks.publish?(thread)  // L6
        unsafe world.pointee.roll.unlock()
        return unsafe thread
    }

    /// Binds a thread state to the calling OS thread, which is the only one to attach it from then on (L2).
    /// Attaching does it too, the first time.
    public static func bind(
        _ thread: UnsafeMutablePointer<ThreadRecord>
    ) throws(ThreadStateError) {
        do throws(PlatformError) { try Reclamation.registerReader() } catch { throw .outOfResources(error) }
        let mine = CallingThread.readerNumber
        let (isBound, found) = unsafe thread.pointee.boundThread.compareExchange(
            expected: 0, desired: mine, ordering: .relaxed)
        if isBound { return }
        if found == boundToNobody {
            throw .cleared
        } else if found != mine {
            throw .boundToAnotherThread
        }
    }

    /// Empties a thread state: its queues, free lists, deferred frees and heap, in this order (L3). It never
    /// attaches again. Passes safepoints while a stop or another thread has it.
    /// - Parameter current: the calling thread's attached state, of the same interpreter; it may be `thread` itself.
    public static func clear(
        _ thread: UnsafeMutablePointer<ThreadRecord>, by current: UnsafeMutablePointer<ThreadRecord>
    ) throws(ThreadStateError) {
        guard unsafe sp_current_thread() == UnsafeMutableRawPointer(current) else {
            throw .notAttached
        }
        guard unsafe thread.pointee.roster == current.pointee.roster else {
            throw .wrongInterpreter
        }
        require(
            unsafe current.pointee.stopDepth == 0, "a thread state cleared inside a stop of one's own")
        if unsafe thread == current {
            if unsafe thread.pointee.isCleared { throw .cleared }
            require(
                unsafe current.pointee.topSection == nil,
                "a thread state cleared inside a critical section")
            unsafe empty(thread, by: current)
        } else {
            while unsafe !HeldThread.take(thread) {
                if unsafe ThreadWord.state(thread.loadWord()) == ThreadWord.attached {
                    throw .stillAttached
                }
                unsafe Safepoint.poll(current)
                SystemThread.yield()
            }
            // Ours now, and only now: two may have tried.
            guard unsafe recheck("clear.once", !thread.pointee.isCleared) else {
                unsafe HeldThread.letGo(thread)
                throw .cleared
            }
            unsafe empty(thread, by: current)
            unsafe HeldThread.letGo(thread)
        }
    }

    private static func empty(
        _ thread: UnsafeMutablePointer<ThreadRecord>, by current: UnsafeMutablePointer<ThreadRecord>
    ) {
        let roster = unsafe thread.pointee.roster
        unsafe roster.pointee.world.pointee.hooks.clear?(thread, current)
        unsafe roster.pointee.orphansLock.withLock {
            unsafe roster.orphans.pointee.takeAll(from: &thread.deferred.pointee)
        }
        if unsafe roster.orphans.pointee.isPending {
            unsafe ServiceSignal.request(
                Reclamation.request, of: roster.pointee.world.signal)
        }
        unsafe ThreadHeap.abandon(thread.heap)
        unsafe thread.pointee.isCleared = true
        // Nothing is due any more, so the service thread leaves the record alone; and no attach succeeds.
        unsafe thread.pointee.participant.word.bitwiseAnd(
            ~ThreadWord.dueWork, ordering: .relaxed)
        unsafe thread.pointee.participant.word.bitwiseOr(ThreadWord.isCleared, ordering: .relaxed)
        unsafe thread.pointee.boundThread.store(boundToNobody, ordering: .relaxed)  // no attach finds it
    }

    /// Ends the calling thread's attached state, which it has cleared: it is attached, and then it is gone (L4).
    public static func deleteCurrent(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        require(
            unsafe sp_current_thread() == UnsafeMutableRawPointer(thread),
            "deleteCurrent: the thread state is not attached on this thread")
        require(unsafe thread.pointee.isCleared, "a thread state deleted that was not cleared")
        require(unsafe thread.pointee.stopDepth == 0, "a thread ends inside a stop of its own")
        let roster = unsafe thread.pointee.roster
        sp_set_current_thread(nil)
        Quiescence.goOffline()
        // While the word still says attached, so that a stop waits for what this does to objects; and the interpreter's
        // lock is held, so that nobody else does anything to them (A5).
        unsafe prepareDeletion(of: thread)
        // Before the record leaves the list: who asks the lock's holder to yield finds it under the roll.
        if let lock = unsafe roster.pointee.lock { unsafe InterpreterLock.release(lock) }
        unsafe unlist(thread)
        // The stopper asks under the roll, so after `unlist` the word is ours. A stop that counts on this thread keeps
        // its roster in memory until it has arrived.
        if unsafe thread.loadWord() & ThreadWord.stopRequested != 0 {
            unsafe Stop.arrive(at: thread.pointee.stop!)
        }
        unsafe free(thread)
    }

    /// Deletes a thread state that somebody else than its owner cleared.
    public static func delete(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        require(unsafe thread.pointee.isCleared, "a thread state deleted that was not cleared")
        unsafe deleteUnused(thread)
    }

    /// Deletes a thread state that was never attached. Waits while another thread holds it or, unless the caller is
    /// attached in its scope, while another has the interpreter stopped.
    public static func deleteUnused(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        require(
            unsafe ThreadWord.state(thread.loadWord()) != ThreadWord.attached,
            "a thread state deleted while attached")
        let world = unsafe thread.pointee.world
        while true {
            unsafe world.pointee.roll.lock()
            if unsafe mayEnd(thread) { break }
            unsafe world.pointee.roll.unlock()
            SystemThread.yield()
        }
        unsafe prepareDeletion(of: thread)
        unsafe unlistHeld(thread)
        unsafe world.pointee.roll.unlock()
        unsafe free(thread)
    }

    /// Whether a thread state that nobody attaches may be deleted now: the service thread does not work for it; and the
    /// counts that may have been handed to it can be merged, since no pause is under way. (None begins under the roll;
    /// the caller's own is no danger to itself; and one that has asked the caller waits for it.) The roll is held.
    private static func mayEnd(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        let isHeld = unsafe thread.loadWord() & ThreadWord.isHeld != 0  // H3
        if !recheck("delete.held", !isHeld) { return false }
        if unsafe thread.pointee.isCleared { return true }
        let roster = unsafe thread.pointee.roster
        let world = unsafe roster.pointee.world
        if unsafe StopTheWorld.coveringStop(of: world, scope: roster, by: CallingThread.identity) != nil {
            return true
        }
        let current = unsafe Attachment.current
        let isAttachedHere = unsafe current != nil && current!.pointee.roster == roster
        let isAttachedInWorld = unsafe current != nil && current!.pointee.world == world
        let isSafeHere = unsafe isAttachedHere || !roster.pointee.stop.hasPause
        let isSafeInWorld = unsafe isAttachedInWorld || !world.pointee.stop.hasPause
        return recheck("delete.pause", isSafeHere) && recheck("delete.worldPause", isSafeInWorld)
    }

    private static func prepareDeletion(of thread: UnsafeMutablePointer<ThreadRecord>) {
        unsafe thread.pointee.world.pointee.hooks.deinitialize?(thread)
        unsafe Reclamation.dismiss(thread.participant)
    }

    /// Takes a thread state off the list; the roster may be destroyed from then on.
    private static func unlist(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let roster = unsafe thread.pointee.roster
        unsafe roster.pointee.world.pointee.roll.withLock { unsafe unlistHeld(thread) }
    }

    /// The same with the roll held.
    private static func unlistHeld(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let roster = unsafe thread.pointee.roster
        let word = unsafe thread.loadWord()
        unsafe unlink(thread, dormant: word & ThreadWord.isDormant != 0)
        unsafe roster.pointee.threadCount = roster.pointee.threadCount - 1
        // A stop that waits for it to run waits for nothing.
        if word & ThreadWord.isResumed != 0 { unsafe Attachment.countOutResumed(of: roster) }
    }

    private static func free(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        unsafe thread.deinitialize(count: 1)
        unsafe RawMemory.free(thread)
    }
}
