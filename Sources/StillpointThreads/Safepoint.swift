// The safepoint: the one checkpoint at which an attached thread does all that is due. An embedder calls it in
// its loops; between two of them a thread may hold plain references.
//
// Order of the work, each step only if its bit is set:
//   1  announce a quiescent state           quiescenceWanted
//   2  suspend while the world is stopped   stopRequested
//   3  let another have the lock            yieldDue
//   4  merge counts queued to this thread   mergeDue
//   5  free what a grace period allows      deferredDue
//   6  wait, detached, for a grace period   deferred bytes past the hard limit
//   7  collect                              collectionDue
//
// P1  Inside a stop of the same thread, or a destroy function, a safepoint does nothing: it must neither wait nor free.
// P2  A safepoint inside a safepoint (from a finalizer) only announces and suspends.
// P3  A due bit is cleared before its work begins, so that what comes meanwhile is seen by the next one.
// [due]  who sets a bit wrote before  ->  the safepoint that clears it reads after

internal import StillpointPlatform
internal import CStillpoint
internal import StillpointSynchronization

/// Polling. Fast path: one load of the thread's own word, one comparison, one branch.
public enum Safepoint {
    /// Does what is due for the attached thread `thread`. References held across it are held by handles.
    @inlinable @inline(__always)
    public static func poll(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        // Relaxed: the value only chooses the path; the slow path's own operations carry the edges.
        if unsafe _slowPath(thread.loadWord() != ThreadWord.attached) { unsafe pollSlow(thread) }
    }

    @usableFromInline @inline(never)
    static func pollSlow(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        require(
            unsafe sp_current_thread() == UnsafeMutableRawPointer(thread),
            "safepoint: this thread state is not attached on this thread")
        if unsafe thread.pointee.stopDepth > 0 || thread.pointee.waitingBanDepth > 0 { return }  // P1
        let word = unsafe thread.loadWord()
        if word & Participant.quiescenceWanted != 0 { Quiescence.announce() }
        if word & ThreadWord.stopRequested != 0 { unsafe Attachment.pause(thread) }
        if unsafe thread.pointee.isAtSafepoint { return }  // P2
        unsafe thread.pointee.isAtSafepoint = true
        unsafe doDueWork(of: thread)
        unsafe thread.pointee.isAtSafepoint = false
    }

    private static func doDueWork(of thread: UnsafeMutablePointer<ThreadRecord>) {
        let world = unsafe thread.pointee.world
        if unsafe thread.takeDue(ThreadWord.yieldDue) { unsafe Attachment.pause(thread) }
        if unsafe thread.takeDue(ThreadWord.mergeDue) {
            unsafe world.pointee.hooks.merge?(thread, thread)
        }
        if unsafe thread.takeDue(ThreadWord.deferredDue) {
            unsafe thread.deferred.drain(freeingThread: thread)
        }
        if unsafe thread.deferred.pointee.isOverHardLimit {
            let goal = Reclamation.nextGoal()
            unsafe Attachment.detachSlow(thread)
            Reclamation.waitFor(goal: goal)
            unsafe Attachment.reattach(thread)
            unsafe thread.deferred.drain(freeingThread: thread)
        }
        if unsafe thread.takeDue(ThreadWord.collectionDue) {
            unsafe world.pointee.hooks.collect?(thread, thread)
        }
    }
}
