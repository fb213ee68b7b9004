// Dormant threads: those that a stop found detached, and that did not ask to come back while it lasted. A program may have
// thousands that sleep in system calls; a stop that visited each of them would take as long as there are threads.
//
//   listed, suspended --a stop lets go, nobody waits--> dormant --its owner attaches, or it is held--> listed
//
// So the first stop after a thread has detached visits it, and no later one does. The price is paid by the thread that
// comes back: its attach takes the roll once.
//
// D1  A thread is in one of two lists of its roster: `threads`, which stops walk, or `dormant`; isDormant says which.
//     Both, and the bit, change under the roll.
// D2  A dormant thread is suspended. It leaves the list by its owner, about to attach, or by who holds it.
// D3  Who leaves the list while a stop has asked stays suspended, and is let go by that stop like one born in it.
// [resume]  the stopper's writes, by way of the roll  ->  the owner's reads after it attached

internal import StillpointPlatform
internal import StillpointSynchronization

extension Roster {
    /// Puts a suspended thread among the dormant ones. The roll is held. False if it waits or counts as resumed.
    static func makeDormant(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        var word = unsafe thread.loadWord()
        while word & (ThreadWord.isWaiting | ThreadWord.isResumed) == 0 {
            assert(ThreadWord.state(word) == ThreadWord.suspended, "D2")
            let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                expected: word, desired: word | ThreadWord.isDormant, ordering: .relaxed)  // [resume] by the roll
            if done {
                unsafe unlink(thread, dormant: false)
                unsafe link(thread, dormant: true)
                return true
            }
            word = found
        }
        return false
    }

    /// Takes a thread, which may have stopped being dormant meanwhile, back among those that stops walk. It is
    /// detached then, or suspended if a stop has asked (D3).
    static func awaken(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let roster = unsafe thread.pointee.roster
        unsafe roster.pointee.world.pointee.roll.withLock {
            guard unsafe recheck("dormant.still", thread.loadWord() & ThreadWord.isDormant != 0) else { return }
            unsafe list(thread)
            if unsafe recheck("dormant.noStop", !World.hasStopAsked(over: roster)) { unsafe HeldThread.release(thread) }
        }
    }

    /// Moves a dormant thread to the list that stops walk; it stays suspended. The roll is held.
    static func list(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        unsafe unlink(thread, dormant: true)
        unsafe link(thread, dormant: false)
        unsafe thread.pointee.participant.word.bitwiseAnd(
            ~ThreadWord.isDormant, ordering: .relaxed)  // published by the roll
    }

    // MARK: The two lists. The roll is held.

    /// Puts a thread in front of a list.
    static func link(_ thread: UnsafeMutablePointer<ThreadRecord>, dormant: Bool) {
        let roster = unsafe thread.pointee.roster
        let first = unsafe dormant ? roster.pointee.dormant : roster.pointee.threads
        unsafe thread.pointee.previous = nil
        unsafe thread.pointee.next = first
        if let first = unsafe first { unsafe first.pointee.previous = thread }
        unsafe setFirst(thread, of: roster, dormant: dormant)
    }

    /// Takes a thread out of the list that it is in.
    static func unlink(_ thread: UnsafeMutablePointer<ThreadRecord>, dormant: Bool) {
        let next = unsafe thread.pointee.next
        let previous = unsafe thread.pointee.previous
        if let next = unsafe next { unsafe next.pointee.previous = previous }
        if let previous = unsafe previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe setFirst(next, of: thread.pointee.roster, dormant: dormant)
        }
    }

    private static func setFirst(
        _ thread: UnsafeMutablePointer<ThreadRecord>?, of roster: UnsafeMutablePointer<Roster>,
        dormant: Bool
    ) {
        if dormant {
            unsafe roster.pointee.dormant = thread
        } else {
            unsafe roster.pointee.threads = thread
        }
    }
}
