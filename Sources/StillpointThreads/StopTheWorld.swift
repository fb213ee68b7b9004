// Stop the world: one thread brings every other thread of an interpreter, or of the runtime, to a safepoint, and
// keeps it there until it says go on. Threads poll and are not sent signals: docs/safepoints.md says why.
//
// States of a thread, and who makes each move:
//
//               owner                stopper
//   attached <---------> detached <-----------> suspended
//      |                                            ^
//      +--------------------------------------------+
//                   owner, at a safepoint, or detaching after it was asked
//
// A stop, step by step:
//   turn      wait until no stop overlaps ours: first come, first served; stops of different interpreters
//             do not overlap, a stop of all overlaps every other
//   fairness  wait until the threads that were let go while they waited have run
//   ask       one walk under the roll: a detached thread is suspended where it stands; an attached one is
//             counted and gets stopRequested; a suspended one (born so, or held) is stopped already
//   wait      until every counted thread has told that it is suspended, or gone
//   pause     the caller's work
//   let go    one walk under the roll: every thread that waits becomes detached and is woken; the others become
//             dormant, and later stops need not visit them (Dormancy.swift); the turn passes on
//
// W1   A stop that is active has its turn: no other active stop overlaps it.
// W2   While a stop of all is active, no stop of one interpreter is; several of those, over different
//      interpreters, may be.
// W3   Between the walk and the end of the wait, countdown = the counted threads that have not arrived (+ 1 for
//      the stopper while it walks).
// W4   In the pause every thread in scope but the stopper is suspended, and stays so.
// W5   The list of threads changes under the roll; the walks are under the roll; a thread listed while a stop is
//      active is born suspended.
// W6   Only the owner leaves `attached`; only a stopper, or a holder that the stop excludes, moves between
//      `detached` and `suspended`; and the owner of a dormant thread back, under the roll, while no stop has
//      asked. Nobody moves from `suspended` to `attached`.
// W7   The stop that a thread arrives at is the one that asked it: `thread.stop` is written before the bit, and
//      that stop cannot end before the arrival.
// W8   countdown reaches 0 once a stop, and is set anew only when the stop has its turn again.
// W9   A stopper that is a thread in scope stays attached, and offline to liburcu, from `ask` to `let go`; it
//      passes no safepoint, detaches not, and so re-locks no critical section inside its pause.
// W10  A thread that has left the list is never waited for.
// W11  Liveness: if every attached thread reaches a safepoint or detaches, the stop begins; there is no rescan
//      and no time-out to wait for.
// W12  Liveness: a thread that waits when it is let go attaches before the next stop of it begins. One that
//      suspends at a safepoint waits from that very move.
// W13  In the pause the stopper takes no lock that a thread in scope may hold. It may take: the roll, the lock of
//      reclamation's roll, an interpreter heap's lock, bucket locks of the parking lot. None of them is held
//      across a poll, a detach or a wait for a thread.
// W14  A thread leaves `attached` with every critical section released; so a suspended thread holds no
//      object lock that it entered (one handed to it while it slept it may hold: hence W13).
//
// A stop inside a stop by the same OS thread: allowed, and nothing, if the outer one covers it; else
// `.stopInsideStop`; it ends before the outer one does. A requester attached to an interpreter out of scope is detached meanwhile. A requester
// who holds the lock of the one interpreter in scope needs no stop: the pair does nothing.
//
// Lock order: turn, then roll. Neither is held across a wait for a thread to run.
// [turn]    the writes of the last stop  ->  the next one whose turn it is
// [ask]     the stopper's write of `thread.stop`  ->  the thread's read when it arrives
// [park]    the owner's writes before it suspended or detached  ->  the stopper's reads
// [resume]  the stopper's writes  ->  the owner's reads after it attached
// [ran]     a resumed thread has attached  ->  the next stop's walk

internal import StillpointPlatform
internal import StillpointSynchronization

/// A stopped world. It is let go when this value ends: by `resume()`, or by going out of scope, on the OS thread
/// that stopped it.
@safe public struct StoppedWorld: ~Copyable {
    let world: UnsafeMutablePointer<World>
    let scope: UnsafeMutablePointer<Roster>?
    /// The stopper's thread state, attached and in scope.
    let stopper: UnsafeMutablePointer<ThreadRecord>?
    /// The stopper's thread state of an interpreter out of scope, detached for the pause.
    let outsider: UnsafeMutablePointer<ThreadRecord>?
    /// Whether nothing had to be stopped.
    let isNested: Bool
    let stoppedAtNanoseconds: UInt64

    /// Lets every thread go. Precondition: the OS thread that stopped the world.
    public consuming func resume() {}

    deinit {
        unsafe StopTheWorld.end(
            world: world, scope: scope, stopper: stopper, isNested: isNested,
            stoppedAtNanoseconds: stoppedAtNanoseconds)
        if let outsider = unsafe outsider { unsafe Attachment.reattach(outsider) }
    }
}

/// Stopping one interpreter (`scope` is its roster) or all of a runtime (`scope` is nil).
public enum StopTheWorld {
    /// Stops every other thread in scope, and returns when all stand still. Any thread may call it, with a
    /// thread state attached or without one.
    /// - Throws: `.stopInsideStop`.
    public static func begin(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?
    ) throws(ThreadStateError) -> StoppedWorld {
        require(unsafe scope == nil || scope!.pointee.world == world, "an interpreter of another runtime")
        let current = unsafe Attachment.current
        if let current = unsafe current {
            if unsafe current.pointee.waitingBanDepth > 0 { throw .insideDestroyFunction }
        }
        let isInScope = unsafe current != nil
            && (scope == nil ? current!.pointee.world == world : current!.pointee.roster == scope)
        // (Inside a stop of its own a thread stays attached whatever it asks for: it is covered, or refused.)
        if let current = unsafe current, !isInScope, unsafe current.pointee.stopDepth == 0 {
            unsafe Attachment.detach(current)
            do throws(ThreadStateError) {
                let isNested = try unsafe enter(world, scope: scope, stopper: nil)
                return unsafe StoppedWorld(
                    world: world, scope: scope, stopper: nil, outsider: current,
                    isNested: isNested, stoppedAtNanoseconds: MonotonicClock.nanoseconds())
            } catch {
                unsafe Attachment.reattach(current)
                throw error
            }
        }
        let isNested = try unsafe enter(world, scope: scope, stopper: current)
        return unsafe StoppedWorld(
            world: world, scope: scope, stopper: current, outsider: nil, isNested: isNested,
            stoppedAtNanoseconds: MonotonicClock.nanoseconds())
    }

    /// Runs `body` while the world in scope is stopped.
    public static func with<Result: ~Copyable>(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        _ body: () -> Result
    ) throws(ThreadStateError) -> Result {
        let stopped = try unsafe begin(world, scope: scope)
        let result = body()
        stopped.resume()
        return result
    }

    /// Makes stops find detaching threads by looking again every millisecond, as CPython 3.13 does, instead of
    /// being told by them. For comparison in benchmarks alone; set while nothing stops.
    public static func setRescanning(_ isOn: Bool, in world: UnsafeMutablePointer<World>) {
        unsafe world.pointee.isRescanning.store(isOn, ordering: .relaxed)
    }

    // MARK: Beginning

    /// Returns whether an outer stop, or the interpreter lock, excludes all others already.
    private static func enter(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stopper: UnsafeMutablePointer<ThreadRecord>?
    ) throws(ThreadStateError) -> Bool {
        var request = unsafe StopRequest(scope: scope, requester: CallingThread.identity)
        unsafe world.pointee.roll.lock()
        if unsafe try isExcludedAlready(world, request, stopper) {
            if let stopper = unsafe stopper { unsafe deepen(stopper, by: 1) }
            return true
        }
        if unsafe recheck("turn.free", canBegin(world, scope: scope, before: nil)) {
            unsafe grant(world, scope: scope, to: request.requester)
            unsafe world.pointee.roll.unlock()
        } else {
            // Nobody holds this thread up while it waits, and it holds up nobody.
            unsafe withUnsafeMutablePointer(to: &request) { request in
                unsafe append(request, to: world)
                unsafe world.pointee.roll.unlock()
                if let stopper = unsafe stopper { unsafe Attachment.detach(stopper) }
                unsafe waitForTurn(request)
                unsafe noteEndOfLife(of: request)
                if let stopper = unsafe stopper { unsafe Attachment.reattach(stopper) }
            }
        }
        if let stopper = unsafe stopper { unsafe deepen(stopper, by: 1) }
        let stop = unsafe stopRecord(of: world, scope: scope)
        var askedAtNanoseconds = MonotonicClock.nanoseconds()
        while let unfinished = unsafe ask(world, scope: scope, stop: stop, stopper: stopper) {
            unsafe waitForResumed(of: unfinished)
            askedAtNanoseconds = MonotonicClock.nanoseconds()
        }
        unsafe waitForArrivals(world, scope: scope, stop: stop)
        assert(unsafe isStill(world, scope: scope, but: stopper), "W4, W14")
        let elapsed = MonotonicClock.nanoseconds() - askedAtNanoseconds
        unsafe world.pointee.timeToSafepoint.record(nanoseconds: elapsed)
        unsafe scope?.pointee.timeToSafepoint.record(nanoseconds: elapsed)
        return false
    }

    /// The roll is held; it is released unless the result is false.
    private static func isExcludedAlready(
        _ world: UnsafeMutablePointer<World>, _ request: borrowing StopRequest,
        _ stopper: UnsafeMutablePointer<ThreadRecord>?
    ) throws(ThreadStateError) -> Bool {
        var isCovered = false
        if let cover = unsafe coveringStop(of: world, scope: request.scope, by: request.requester) {
            unsafe cover.pointee.coveredCount = cover.pointee.coveredCount + 1
            isCovered = true
        } else if let stopper = unsafe stopper {
            // Who holds an interpreter's lock excludes that interpreter's threads; not those of interpreters yet to be
            // made, so a stop of all is always a real one.
            isCovered = unsafe stopper.pointee.roster.pointee.lock != nil
                && request.scope == stopper.pointee.roster
            if isCovered {
                let stop = unsafe stopper.pointee.roster.stop
                unsafe stop.pointee.excludedCount = stop.pointee.excludedCount + 1
            }
        }
        var isStopping = unsafe world.stop.pointee.isActive
            && world.stop.pointee.requester == request.requester
        unsafe World.forEachRoster(of: world, in: nil) { roster in
            let isOurs = unsafe roster.pointee.stop.isActive
                && roster.pointee.stop.requester == request.requester
            if isOurs { isStopping = true }
        }
        if isCovered {
            unsafe world.pointee.roll.unlock()
            return true
        }
        if unsafe isStopping || (stopper?.pointee.stopDepth ?? 0) > 0 {
            unsafe world.pointee.roll.unlock()
            throw .stopInsideStop
        }
        return false
    }

    /// Counts the stops that a thread has under way. From the first to the last it is offline to liburcu (W9): a
    /// grace period never waits for a pause.
    private static func deepen(_ stopper: UnsafeMutablePointer<ThreadRecord>, by change: Int) {
        let before = unsafe stopper.pointee.stopDepth
        unsafe stopper.pointee.stopDepth = before + change
        unsafe stopper.updateTransition()
        if before == 0 { Quiescence.goOffline() }
        if before + change == 0 { Quiescence.goOnline() }
    }

    /// Waits for threads that were let go while they waited (W12). A roster is not destroyed while a stop over it is
    /// active.
    private static func waitForResumed(of roster: UnsafeMutablePointer<Roster>) {
        let count = unsafe roster.pointee.resumedCount.load(ordering: .acquiring)  // [ran]
        if recheck("resumed.some", count != 0) { unsafe Futex.wait(on: roster.resumedCountAddress, while: count) }
    }

    /// The walk that asks. It asks nobody, and returns the roster, if threads of one have yet to run (W12): looked at
    /// under the same roll, since a holder may let go one that waits up to the walk.
    private static func ask(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stop: UnsafeMutablePointer<Stop>, stopper: UnsafeMutablePointer<ThreadRecord>?
    ) -> UnsafeMutablePointer<Roster>? {
        var unfinished: UnsafeMutablePointer<Roster>?
        unsafe world.pointee.roll.lock()
        unsafe World.forEachRoster(of: world, in: scope) { roster in
            // [ran]
            if unsafe roster.pointee.resumedCount.load(ordering: .acquiring) != 0 { unsafe unfinished = roster }
        }
        guard unsafe recheck("stop.allRan", unfinished == nil) else {
            unsafe world.pointee.roll.unlock()
            return unsafe unfinished
        }
        unsafe stop.pointee.hasAsked = true
        // W8. Relaxed: published to each thread by its bit [ask].
        unsafe stop.pointee.countdown.store(1, ordering: .relaxed)
        unsafe World.forEachRoster(of: world, in: scope) { roster in
            unsafe Roster.forEachListed(of: roster) { thread in
                if unsafe thread != stopper { unsafe ask(thread, stop: stop) }
            }
        }
        unsafe world.pointee.roll.unlock()
        unsafe Stop.arrive(at: stop)
        return nil
    }

    private static func ask(
        _ thread: UnsafeMutablePointer<ThreadRecord>, stop: UnsafeMutablePointer<Stop>
    ) {
        var word = unsafe thread.loadWord()
        while true {
            ThreadWord.check(word)
            switch ThreadWord.state(word) {
            case ThreadWord.detached:
                let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                    expected: word, desired: ThreadWord.with(state: ThreadWord.suspended, in: word),
                    successOrdering: .acquiring, failureOrdering: .relaxed)  // [park]
                if done { return }
                word = found
            case ThreadWord.attached:
                unsafe thread.pointee.stop = stop
                // Counted before the bit: the thread may arrive at once. W3
                unsafe stop.pointee.countdown.wrappingAdd(1, ordering: .relaxed)
                let (done, found) = unsafe thread.pointee.participant.word.compareExchange(
                    expected: word, desired: word | ThreadWord.stopRequested,
                    ordering: .releasing)  // [ask]
                if done { return }
                unsafe stop.pointee.countdown.wrappingSubtract(1, ordering: .relaxed)
                word = found
            default:
                return  // born suspended, or held: the walk that lets go will find it so
            }
        }
    }

    private static func waitForArrivals(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stop: UnsafeMutablePointer<Stop>
    ) {
        guard unsafe world.pointee.isRescanning.load(ordering: .relaxed) else {
            unsafe _ = Stop.waitForAll(at: stop, untilNanoseconds: nil)
            return
        }
        while unsafe !Stop.waitForAll(
            at: stop, untilNanoseconds: MonotonicClock.nanoseconds() + 1_000_000)
        {
            unsafe rescan(world, scope: scope, stop: stop)
        }
    }

    /// Suspends the threads that have detached since they were asked, when they do not tell.
    private static func rescan(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stop: UnsafeMutablePointer<Stop>
    ) {
        unsafe world.pointee.roll.lock()
        unsafe World.forEachRoster(of: world, in: scope) { roster in
            unsafe Roster.forEachListed(of: roster) { thread in
                let word = unsafe thread.loadWord()
                let isAsked = word & ThreadWord.stopRequested != 0
                guard isAsked, ThreadWord.state(word) == ThreadWord.detached else { return }
                let desired = ThreadWord.with(state: ThreadWord.suspended, in: word)
                    & ~ThreadWord.stopRequested
                let (done, _) = unsafe thread.pointee.participant.word.compareExchange(
                    expected: word, desired: desired,
                    successOrdering: .acquiring, failureOrdering: .relaxed)  // [park]
                if done { unsafe Stop.arrive(at: stop) }
            }
        }
        unsafe world.pointee.roll.unlock()
    }

    // MARK: Ending

    static func end(
        world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stopper: UnsafeMutablePointer<ThreadRecord>?, isNested: Bool, stoppedAtNanoseconds: UInt64
    ) {
        if !isNested {
            let elapsed = MonotonicClock.nanoseconds() - stoppedAtNanoseconds
            unsafe world.pointee.pause.record(nanoseconds: elapsed)
            unsafe scope?.pointee.pause.record(nanoseconds: elapsed)
            unsafe letGo(world, scope: scope, stopper: stopper)
        } else {
            unsafe world.pointee.roll.lock()
            let cover = unsafe coveringStop(of: world, scope: scope, by: CallingThread.identity)
            if let cover = unsafe cover {
                unsafe cover.pointee.coveredCount = cover.pointee.coveredCount - 1
            } else if let stop = unsafe scope?.stop {
                unsafe stop.pointee.excludedCount = stop.pointee.excludedCount - 1
            }
            unsafe world.pointee.roll.unlock()
        }
        if let stopper = unsafe stopper { unsafe deepen(stopper, by: -1) }
    }

    /// The walk that lets go, and the turn passed on.
    private static func letGo(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        stopper: UnsafeMutablePointer<ThreadRecord>?
    ) {
        unsafe world.pointee.roll.lock()
        let stop = unsafe stopRecord(of: world, scope: scope)
        require(
            unsafe stop.pointee.isActive && stop.pointee.requester == CallingThread.identity,
            "a stopped world let go by a thread that did not stop it")
        require(
            unsafe stop.pointee.coveredCount == 0, "a stop ended before one inside it")
        unsafe World.forEachRoster(of: world, in: scope) { roster in
            unsafe Roster.forEachListed(of: roster) { thread in
                if unsafe thread != stopper, unsafe !Roster.makeDormant(thread) {
                    unsafe HeldThread.release(thread)
                }
            }
        }
        unsafe stop.pointee.isActive = false
        unsafe stop.pointee.hasAsked = false
        unsafe stop.pointee.requester = 0
        if unsafe scope != nil { unsafe world.pointee.rosterStopCount = world.pointee.rosterStopCount - 1 }
        unsafe grantNext(world)
        unsafe world.pointee.roll.unlock()
    }
}
