// The service thread: one a runtime. It does what is overdue when the threads concerned do not come to a
// safepoint: it runs grace periods, and for an interpreter whose threads are detached it merges their counts,
// drains their deferred frees and collects. Finalizers that this runs, run on the service thread, with a
// thread state of the interpreter concerned attached: so when all threads are detached, they run here.
//
//   asleep --request--> lingers up to the interval --> grace period --> a round over the interpreters --> asleep
//                       (urgent: at once)
//
// V1  It attaches to an interpreter only for a round, by a temporary thread state; so a pause excludes it, and
//     it delays a stop no longer than one item of work.
// V2  Outside the roll it touches a roster only while it counts as its user; a roster in use is not destroyed.
// V3  It waits for grace periods detached.
// V4  Work that is due for a thread that is not attached is never forgotten: a round that leaves some asks for the next.
// [request]  of ServiceSignal

internal import StillpointPlatform
internal import StillpointSynchronization

/// The service thread of a world.
public enum ServiceThread {
    /// Requests of its signal, besides those of `Reclamation`.
    public static let dueWork: UInt32 = 1 << 2
    static let end: UInt32 = 1 << 31

    /// How long deferred work may wait for company, in nanoseconds.
    public static let intervalNanoseconds: UInt64 = 10_000_000

    static func start(
        for world: UnsafeMutablePointer<World>
    ) throws(PlatformError) -> SystemThread {
        unsafe try SystemThread.start(name: "sp-service", argument: world, body: runServiceThread)
    }

    /// The service thread's body: until the request `end`.
    static func run(_ world: UnsafeMutablePointer<World>) {
        let signal = unsafe world.signal
        while true {
            unsafe ServiceSignal.wait(on: signal, untilNanoseconds: nil)
            // Requests stay in the signal meanwhile, so that one that is repeated wakes nobody.
            unsafe ServiceSignal.linger(
                on: signal, unlessAny: end | Reclamation.urgentRequest,
                untilNanoseconds: MonotonicClock.nanoseconds() + intervalNanoseconds)
            let requests = unsafe ServiceSignal.take(from: signal)
            if requests & end != 0 { return }
            if requests & (Reclamation.request | Reclamation.urgentRequest) != 0 {
                Reclamation.synchronize()
            }
            unsafe serve(world)
        }
    }

    // MARK: A round

    private static func serve(_ world: UnsafeMutablePointer<World>) {
        var after: UnsafeMutablePointer<Roster>?
        while let roster = unsafe nextRoster(of: world, after: after) {
            unsafe announce(to: roster)
            if unsafe hasWorkForDetached(roster) { unsafe serve(roster) }
            // What could not be done now (a stop is on, a thread is held, there was no memory) is tried again after
            // the interval.
            if unsafe !recheck("service.left", !isWorkLeft(in: roster)) {
                unsafe ServiceSignal.request(dueWork, of: world.signal)
            }
            unsafe after = roster
        }
    }

    /// The roster behind `after`, as whose user the caller counts from now on; it stops counting as the user
    /// of `after`.
    private static func nextRoster(
        of world: UnsafeMutablePointer<World>, after: UnsafeMutablePointer<Roster>?
    ) -> UnsafeMutablePointer<Roster>? {
        unsafe world.pointee.roll.lock()
        var roster = unsafe after == nil ? world.pointee.rosters : after!.pointee.next
        while let candidate = unsafe roster, unsafe candidate.pointee.isClosing {
            unsafe roster = candidate.pointee.next
        }
        if let roster = unsafe roster {
            unsafe roster.pointee.userCount = roster.pointee.userCount + 1
        }
        if let after = unsafe after {
            unsafe after.pointee.userCount = after.pointee.userCount - 1
        }
        unsafe world.pointee.roll.unlock()
        return unsafe roster
    }

    /// Tells every thread with deferred frees to look at its next safepoint.
    private static func announce(to roster: UnsafeMutablePointer<Roster>) {
        let world = unsafe roster.pointee.world
        unsafe world.pointee.roll.lock()
        unsafe Roster.forEachMember(of: roster) { thread in
            if unsafe thread.deferred.pointee.isPending {
                unsafe thread.setDue(ThreadWord.deferredDue)
            }
        }
        unsafe world.pointee.roll.unlock()
    }

    /// Whether to attach to an interpreter now: not while it is stopped, since the other interpreters would wait
    /// with us.
    private static func hasWorkForDetached(_ roster: UnsafeMutablePointer<Roster>) -> Bool {
        let world = unsafe roster.pointee.world
        var found = unsafe roster.orphans.pointee.isPending
        unsafe world.pointee.roll.lock()
        defer { unsafe world.pointee.roll.unlock() }
        if unsafe World.isStopActive(over: roster) { return false }
        unsafe Roster.forEachMember(of: roster) { thread in
            let word = unsafe thread.loadWord()
            if word & ThreadWord.dueWork != 0, ThreadWord.isAway(word) { found = true }
        }
        return found
    }

    /// Whether a thread that is not attached has work due. (An attached one sees it at its next safepoint.)
    private static func isWorkLeft(in roster: UnsafeMutablePointer<Roster>) -> Bool {
        let world = unsafe roster.pointee.world
        var found = unsafe roster.orphans.pointee.isPending
        unsafe world.pointee.roll.lock()
        unsafe Roster.forEachMember(of: roster) { thread in
            let word = unsafe thread.loadWord()
            let isAttached = ThreadWord.state(word) == ThreadWord.attached
            if word & ThreadWord.dueWork != 0, !isAttached { found = true }
        }
        unsafe world.pointee.roll.unlock()
        return found
    }

    /// Attaches a temporary thread state of the interpreter and works through what is due. Without memory for
    /// the state, or once the interpreter closes, the work waits for who comes next.
    private static func serve(_ roster: UnsafeMutablePointer<Roster>) {
        guard let own = unsafe try? Roster.makeThread(in: roster) else { return }
        guard unsafe (try? Attachment.attach(own)) != nil else {
            // Never attached, so nothing to clear.
            unsafe Roster.deleteUnused(own)
            return
        }
        while let thread = unsafe takeNextDue(of: roster) {
            unsafe serve(thread, by: own)
            unsafe HeldThread.letGo(thread)
            unsafe Safepoint.poll(own)
        }
        unsafe roster.pointee.orphansLock.withLock {
            unsafe own.deferred.pointee.takeAll(from: &roster.orphans.pointee)
        }
        unsafe own.deferred.drain(freeingThread: own)
        unsafe Safepoint.poll(own)
        try! unsafe Roster.clear(own, by: own)  // attached, its own, not cleared: none of its errors
        unsafe Roster.deleteCurrent(own)
    }

    /// Holds the next detached thread that has work due.
    private static func takeNextDue(
        of roster: UnsafeMutablePointer<Roster>
    ) -> UnsafeMutablePointer<ThreadRecord>? {
        let world = unsafe roster.pointee.world
        var found: UnsafeMutablePointer<ThreadRecord>?
        unsafe world.pointee.roll.lock()
        unsafe Roster.forEachMember(of: roster) { thread in
            guard unsafe found == nil, unsafe thread.loadWord() & ThreadWord.dueWork != 0 else { return }
            if unsafe HeldThread.takeListed(thread) { unsafe found = thread }
        }
        unsafe world.pointee.roll.unlock()
        return unsafe found
    }

    /// Does the due work of a held thread. A collection is the interpreter's, not the thread's: it becomes due
    /// for `own`, whose next safepoint collects once nobody is held.
    private static func serve(
        _ thread: UnsafeMutablePointer<ThreadRecord>, by own: UnsafeMutablePointer<ThreadRecord>
    ) {
        let world = unsafe own.pointee.world
        if unsafe thread.takeDue(ThreadWord.mergeDue) {
            unsafe world.pointee.hooks.merge?(thread, own)
        }
        if unsafe thread.takeDue(ThreadWord.deferredDue) {
            unsafe thread.deferred.drain(freeingThread: own)
        }
        if unsafe thread.takeDue(ThreadWord.collectionDue) {
            unsafe own.setDue(ThreadWord.collectionDue)
        }
    }
}

/// The body of the service thread; `argument` is its world, which joins it before it ends.
private func runServiceThread(_ argument: UnsafeMutableRawPointer?) {
    unsafe ServiceThread.run(argument!.assumingMemoryBound(to: World.self))
}
