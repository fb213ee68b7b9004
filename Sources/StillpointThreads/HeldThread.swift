// Holding one thread: an attached thread takes a detached one of its own interpreter to `suspended`, works on its
// behalf (merges its counts, drains its deferred frees, clears it), and lets it go.
//
// H1  The holder is attached from `take` to `letGo` and passes no safepoint between. So no pause overlaps a
//     hold: a stop waits for the holder.
// H2  Whoever asks for a stop meanwhile finds the held thread suspended and does not count it; `letGo` then
//     leaves it suspended, and the stop lets it go with the others. A stop that has its turn but has not asked
//     yet changes nothing: it may be waiting for this very thread to run (W12).
// H3  isHeld is set from `take` to `letGo`, under the roll both. Who deletes a thread state waits for it to be clear.
// [park], [resume]  as for a stop: the held thread's writes are seen by its holder, and the other way

internal import CStillpoint
internal import StillpointPlatform

/// The two ends of a hold.
enum HeldThread {
    /// Takes `thread` from detached or dormant to suspended and listed. False if it is attached, or if a stop or
    /// another holder has it.
    static func take(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        unsafe thread.pointee.world.pointee.roll.withLock { unsafe takeListed(thread) }
    }

    /// The same with the roll held.
    static func takeListed(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        var word = unsafe thread.loadWord()
        // (A detached thread that a stop has asked exists only while stops rescan; it is the stop's.)
        if word & ThreadWord.isDormant != 0 {
            unsafe Roster.list(thread)
            unsafe thread.pointee.participant.word.bitwiseOr(
                ThreadWord.isHeld, ordering: .relaxed)  // published by the roll
            return true
        }
        while word & (ThreadWord.stateMask | ThreadWord.stopRequested) == ThreadWord.detached {
            let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                expected: word,
                desired: ThreadWord.with(state: ThreadWord.suspended, in: word) | ThreadWord.isHeld,
                successOrdering: .acquiring, failureOrdering: .relaxed)  // [park]
            if done { return true }
            word = found
        }
        return false
    }

    /// Lets a held thread go, unless a stop has begun meanwhile (H2).
    static func letGo(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let world = unsafe thread.pointee.world
        unsafe world.pointee.roll.lock()
        if unsafe recheck("held.noStop", !World.hasStopAsked(over: thread.pointee.roster)) {
            unsafe release(thread)
        } else {
            unsafe thread.pointee.participant.word.bitwiseAnd(
                ~ThreadWord.isHeld, ordering: .relaxed)  // published by the roll
        }
        unsafe world.pointee.roll.unlock()
    }

    /// suspended -> detached; a thread that waits is counted as resumed and woken. The roll is held.
    static func release(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let roster = unsafe thread.pointee.roster
        var word = unsafe thread.loadWord()
        while true {
            assert(ThreadWord.state(word) == ThreadWord.suspended, "only the suspended are let go")
            let waits = word & ThreadWord.isWaiting != 0
            let isCounted = word & ThreadWord.isResumed != 0
            var desired = ThreadWord.with(state: ThreadWord.detached, in: word)
                & ~(ThreadWord.isWaiting | ThreadWord.isHeld)
            if waits { desired |= ThreadWord.isResumed }
            // Counted before it can run and count itself out. No edge here: [ran] is at the other end.
            if waits, !isCounted {
                unsafe roster.pointee.resumedCount.wrappingAdd(1, ordering: .relaxed)
            }
            let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                expected: word, desired: desired, ordering: .releasing)  // [resume]
            if done {
                if waits { unsafe Futex.wake(thread.wordAddress) }
                return
            }
            if waits, !isCounted { unsafe Attachment.countOutResumed(of: roster) }
            word = found
        }
    }
}

/// Runs `body` while `thread`, which is detached, is kept from attaching.
///
/// `current` is the calling thread's attached state, of the same interpreter; `body` passes no safepoint and
/// does not wait. Returns false, without calling `body`, if `thread` was not detached.
@discardableResult
public func withThreadHeld(
    _ thread: UnsafeMutablePointer<ThreadRecord>, by current: UnsafeMutablePointer<ThreadRecord>,
    _ body: () -> Void
) throws(ThreadStateError) -> Bool {
    guard unsafe sp_current_thread() == UnsafeMutableRawPointer(current) else {
        throw .notAttached
    }
    guard unsafe thread.pointee.roster == current.pointee.roster else { throw .wrongInterpreter }
    guard unsafe HeldThread.take(thread) else { return false }
    body()
    unsafe HeldThread.letGo(thread)
    return true
}
