// Reclamation: memory that lock-free readers may still look at is freed after a grace period, one for all
// runtimes of the process, by liburcu's quiescent-state flavour.
//
// The problem. A reader of a shared table takes no lock, so who replaces the table cannot know when the last
// reader has left the old one. But every attached thread passes safepoints, where it holds no such pointer
// (a quiescent state), and a detached one holds none at all (offline). When each has done the one or the other
// since the table was replaced, the old one may go.
//
// liburcu 0.13 can wait for a grace period but not be asked whether one has passed. So goals are numbers of
// ours: grace period n is announced by `started` = n, and has passed when `completed` >= n.
//
//      retire                       service thread (one at a time)              attached thread
//   goal := started + 1           started += 1 -> n
//   item waits                    quiescenceWanted set in every word       -->  the next poll takes the slow
//                                 liburcu waits for each online reader     <--  path: quiescent state
//                                 quiescenceWanted cleared
//                                 completed := n
//   item freed if goal <= completed
//
// R1  started - completed is 0, or 1 while a grace period runs.
// R2  An item with goal g was unreachable before grace period g began; so no reader holds it after g.
// R3  The word of every enlisted participant has quiescenceWanted from before liburcu is asked until it has
//     answered, whoever is enlisted meanwhile. (An attached thread that did not see it would never announce.)
// R4  Nobody waits for a grace period while online: it would wait for itself.
//
// Lock order: gracePeriodLock, then rollLock. rollLock is held for the walk over the roll only, never across
// a wait. The locks of liburcu are inside `Quiescence.waitForGracePeriod`, after gracePeriodLock.
// [goal]      a retiring thread's writes before it reads `started`  ->  the grace period that it counts on
// [quiet]     a reader's reads before its quiescent state, or before offline  ->  the end of the grace period
// [completed] the end of the grace period  ->  the frees that it allows

internal import CStillpoint
internal import Glibc
public import StillpointPlatform

/// Grace periods of the process. All functions may be called from any thread unless they say otherwise.
public enum Reclamation {
    /// The request of a participant that has put off a free: a grace period soon.
    public static let request: UInt32 = 1 << 0
    /// The request of a participant over its soft limit: a grace period now.
    public static let urgentRequest: UInt32 = 1 << 1

    /// atomic, edges [goal]
    private static let started = Atomic<UInt64>(0)
    /// atomic, edges [completed]
    private static let completed = Atomic<UInt64>(0)
    private static let gracePeriodLock = ParkingMutex()
    private static let rollLock = ParkingMutex()
    /// guarded by rollLock
    nonisolated(unsafe) private static var roll: UnsafeMutablePointer<Participant>?
    /// guarded by rollLock
    nonisolated(unsafe) private static var isQuiescenceWanted = false

    /// The goal of what becomes unreachable now: the number of the next grace period to begin.
    ///
    /// A read-modify-write, not a load: either the next grace period's own increment comes after ours in the
    /// order of `started` and so sees our writes [goal], or it came before and we count on the one after. With
    /// a load, the store that made the item unreachable could become visible after that grace period began.
    public static func nextGoal() -> UInt64 {
        // releasing: [goal]. Nothing is read that a grace period under way has written.
        started.wrappingAdd(0, ordering: .releasing).oldValue + 1
    }

    /// The last grace period that has passed.
    public static var completedGoal: UInt64 {
        completed.load(ordering: .acquiring)  // [completed]
    }

    /// Whether the grace period `goal` has passed.
    public static func hasPassed(_ goal: UInt64) -> Bool { completedGoal >= goal }

    // MARK: The roll

    /// Makes the calling OS thread a reader, offline; needed once before `Quiescence.goOnline` on it.
    /// Throws `ENOMEM` or `EAGAIN`; it is none then.
    public static func registerReader() throws(PlatformError) {
        try installForkHandlers()
        try Quiescence.register()
    }

    /// Adds a participant. Its memory stays until `dismiss`. Throws `ENOMEM`; nothing was changed then.
    public static func enlist(_ participant: UnsafeMutablePointer<Participant>) throws(PlatformError) {
        try installForkHandlers()
        rollLock.withLock {
            unsafe participant.pointee.previous = nil
            unsafe participant.pointee.next = roll
            if let first = unsafe roll { unsafe first.pointee.previous = participant }
            unsafe roll = participant
            if unsafe isQuiescenceWanted { unsafe setQuiescenceWanted(in: participant) }  // R3
        }
    }

    /// Removes a participant. Its owner is offline, and its deferred frees were taken.
    public static func dismiss(_ participant: UnsafeMutablePointer<Participant>) {
        require(
            unsafe participant.pointee.deferred.isEmpty, "dismissed with frees still deferred")
        rollLock.withLock {
            let next = unsafe participant.pointee.next
            let previous = unsafe participant.pointee.previous
            if let next = unsafe next { unsafe next.pointee.previous = previous }
            if let previous = unsafe previous {
                unsafe previous.pointee.next = next
            } else {
                unsafe roll = next
            }
        }
    }

    // MARK: Grace periods

    /// Returns once grace period `goal` has passed; runs it if nobody else does. The caller is offline (R4).
    public static func waitFor(goal: UInt64) {
        require(!Quiescence.isOnline, "waiting for a grace period while online")
        while !hasPassed(goal) {
            gracePeriodLock.withLock {
                if recheck("reclamation.goal", !hasPassed(goal)) { run() }  // another may have run it
            }
        }
    }

    /// Waits for a full grace period from now. The caller is offline.
    public static func synchronize() { waitFor(goal: nextGoal()) }

    /// One grace period. gracePeriodLock is held.
    private static func run() {
        // acquiring: [goal], from all who have read `started` so far.
        let number = started.wrappingAdd(1, ordering: .acquiring).newValue
        markRoll(wanted: true)
        Quiescence.waitForGracePeriod()  // [quiet]
        markRoll(wanted: false)
        assert(completed.load(ordering: .relaxed) + 1 == number, "R1")
        completed.store(number, ordering: .releasing)  // [completed]
    }

    private static func markRoll(wanted: Bool) {
        rollLock.withLock {
            unsafe isQuiescenceWanted = wanted
            var next = unsafe roll
            while let participant = unsafe next {
                if wanted {
                    unsafe setQuiescenceWanted(in: participant)
                } else {
                    // The bit orders nothing: the grace period does. Hence relaxed, here and where it is set.
                    unsafe participant.pointee.word.bitwiseAnd(
                        ~Participant.quiescenceWanted, ordering: .relaxed)
                }
                unsafe next = participant.pointee.next
            }
        }
    }

    private static func setQuiescenceWanted(in participant: UnsafeMutablePointer<Participant>) {
        unsafe participant.pointee.word.bitwiseOr(Participant.quiescenceWanted, ordering: .relaxed)
    }

    // MARK: Fork

    /// A child has the calling thread alone: the others' reader records are unlinked before it can make a
    /// thread whose stack lies over them, and nobody it lacks holds a lock of ours or sleeps in the parking lot.
    private static func installForkHandlers() throws(PlatformError) {
        try forkHandlers.run { () throws(PlatformError) in
            let failure = FailurePoint.fails(.readerRegistration) ? ENOMEM : registerForkHandlers()
            if failure != 0 { throw PlatformError(call: "pthread_atfork", errorNumber: failure) }
        }
    }

    private static let forkHandlers = Once()

    private static func registerForkHandlers() -> CInt {
        pthread_atfork(
            {
                // The thread that forks may be attached and so online: the grace period under way must not
                // wait for it. `sp_rcu_before_fork` takes it offline before it takes the last lock.
                let wasOnline = Quiescence.isOnline
                if wasOnline { Quiescence.goOffline() }
                ParkingLot.prepareForFork()
                Reclamation.gracePeriodLock.lock()
                Reclamation.rollLock.lock()
                if wasOnline { Quiescence.goOnline() }
                sp_rcu_before_fork()
            },
            {
                sp_rcu_after_fork_parent()
                Reclamation.rollLock.unlock()
                Reclamation.gracePeriodLock.unlock()
            },
            {
                ParkingLot.resetAfterForkInChild()
                sp_rcu_after_fork_child()
                Reclamation.rollLock.unlock()
                Reclamation.gracePeriodLock.unlock()
            })
    }

    #if ModelCheck
    /// Before a run on the model checker: as in a process that has just registered its fork handlers,
    /// whatever a run that failed has left.
    static func resetForModel() {
        try! installForkHandlers()
        gracePeriodLock.resetAfterForkInChild()
        rollLock.resetAfterForkInChild()
        // relaxed: before the run has threads.
        started.store(0, ordering: .relaxed)
        completed.store(0, ordering: .relaxed)
        unsafe roll = nil
        unsafe isQuiescenceWanted = false
    }
    #endif
}
