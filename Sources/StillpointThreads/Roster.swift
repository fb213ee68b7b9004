// The thread states of one interpreter: the list, what stops and the service thread need to know of it, and its
// end. How a thread state is made, bound, cleared and deleted: ThreadLifeCycle.swift.

public import StillpointMemory
public import StillpointPlatform
internal import StillpointSynchronization

/// One interpreter's thread states, in raw memory that the interpreter owns.
@safe public struct Roster: ~Copyable {
    /// immutable
    public let world: UnsafeMutablePointer<World>
    /// The heap that its threads' heaps belong to. immutable
    public let heap: UnsafeMutablePointer<InterpreterHeap>
    /// The interpreter lock, if it has one: then at most one thread is attached. immutable
    public let lock: UnsafeMutablePointer<InterpreterLock>?
    /// Whatever the floor above wants to find from a thread. immutable once threads exist
    public var context: UnsafeMutableRawPointer?

    /// This interpreter's own stop. `isActive` guarded by the roll
    var stop: Stop
    /// Threads let go by a stop while they waited, that have not attached since. The next stop waits for it to
    /// be 0. atomic, edges [ran]
    let resumedCount = Atomic<UInt32>(0)
    /// Deferred frees of threads that are gone. guarded by orphansLock
    var orphans: DeferredQueue
    let orphansLock = ParkingMutex()
    /// How many walkers (the service thread) look at this roster outside the roll. guarded by the roll
    var userCount = 0
    /// guarded by the roll
    var isClosing = false
    /// The threads that stops walk. guarded by the roll
    var threads: UnsafeMutablePointer<ThreadRecord>?
    /// Those that they need not (Dormancy.swift). guarded by the roll
    var dormant: UnsafeMutablePointer<ThreadRecord>?
    /// guarded by the roll
    public internal(set) var threadCount = 0
    /// guarded by the roll
    var next: UnsafeMutablePointer<Roster>?

    public let timeToSafepoint: DurationHistogram
    public let pause: DurationHistogram

    private init(
        world: UnsafeMutablePointer<World>, heap: UnsafeMutablePointer<InterpreterHeap>,
        lock: UnsafeMutablePointer<InterpreterLock>?
    ) throws(PlatformError) {
        // What can fail comes first: a struct half made could not be taken apart.
        let timeToSafepoint = try DurationHistogram()
        let pause = try DurationHistogram()
        unsafe self.world = world
        unsafe self.heap = heap
        unsafe self.lock = lock
        unsafe context = nil
        stop = Stop()
        orphans = unsafe DeferredQueue(signal: world.signal)
        unsafe threads = nil
        unsafe dormant = nil
        unsafe next = nil
        self.timeToSafepoint = timeToSafepoint
        self.pause = pause
    }

    /// A roster without threads, in `world`.
    /// - Parameter lock: an interpreter lock, its own or shared within the runtime; `nil`: free threading.
    public static func make(
        in world: UnsafeMutablePointer<World>, heap: UnsafeMutablePointer<InterpreterHeap>,
        lock: UnsafeMutablePointer<InterpreterLock>? = nil
    ) throws(PlatformError) -> UnsafeMutablePointer<Roster> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<Roster>.stride, alignment: 128)
        let roster = unsafe memory.bindMemory(to: Roster.self, capacity: 1)
        do throws(PlatformError) {
            unsafe roster.initialize(to: try Roster(world: world, heap: heap, lock: lock))
        } catch {
            unsafe RawMemory.free(memory)
            throw error
        }
        unsafe world.pointee.roll.withLock {
            unsafe roster.pointee.next = world.pointee.rosters
            unsafe world.pointee.rosters = roster
        }
        return unsafe roster
    }

    /// Refuses new and detached threads from now on: attaching fails with `.shuttingDown`. Threads that are
    /// attached run until they detach; `closer` may detach and attach on.
    public static func close(
        _ roster: UnsafeMutablePointer<Roster>, by closer: UnsafeMutablePointer<ThreadRecord>? = nil
    ) {
        let world = unsafe roster.pointee.world
        unsafe world.pointee.roll.lock()
        unsafe roster.pointee.isClosing = true
        unsafe forEachMember(of: roster) { thread in
            if unsafe thread == closer { return }
            // Relaxed: it hands nothing on. A thread about to sleep either finds its word changed, or has said
            // before that it waits, and is woken.
            let before = unsafe thread.pointee.participant.word.bitwiseOr(
                ThreadWord.isClosing, ordering: .relaxed
            ).oldValue
            if before & ThreadWord.isWaiting != 0 { unsafe Futex.wake(thread.wordAddress) }
        }
        unsafe world.pointee.roll.unlock()
    }

    /// Frees a closed roster whose threads are all deleted. The caller is offline: it waits for a grace period if
    /// frees are still deferred.
    public static func destroy(_ roster: UnsafeMutablePointer<Roster>) {
        require(
            unsafe Attachment.current == nil, "a roster destroyed by a thread that is attached")
        let world = unsafe roster.pointee.world
        while true {
            unsafe world.pointee.roll.lock()
            let isUnused = unsafe recheck("destroy.users", roster.pointee.userCount == 0)
            let isUnstopped = unsafe !World.isStopActive(over: roster) && !StopTheWorld.isRequested(roster)
            if isUnused, recheck("destroy.stops", isUnstopped) { break }
            unsafe world.pointee.roll.unlock()
            SystemThread.yield()
        }
        require(unsafe roster.pointee.isClosing, "a roster destroyed that was not closed")
        require(
            unsafe roster.pointee.threadCount == 0, "a roster destroyed with threads in it")
        unsafe unlist(roster, from: world)
        unsafe world.pointee.roll.unlock()
        if unsafe !roster.orphans.pointee.isEmpty {
            Reclamation.synchronize()
            unsafe roster.orphans.drain(freeingThread: nil)
        }
        unsafe roster.deinitialize(count: 1)
        unsafe RawMemory.free(roster)
    }

    /// Frees all that the interpreter's threads have put off, gone ones included. The caller has it stopped: a stop is a
    /// grace period for what that interpreter deferred, since nobody else can look at it.
    /// - Parameter freeingThread: the record handed to the frees.
    /// - Returns: how many blocks were freed.
    @discardableResult
    public static func drainDeferred(
        of roster: UnsafeMutablePointer<Roster>, by freeingThread: UnsafeMutableRawPointer?
    ) -> Int {
        assert(
            unsafe isStopped(roster), "deferred frees drained while the interpreter runs")
        var freed = 0
        unsafe forEachThread(of: roster) { thread in
            freed += unsafe thread.deferred.drain(
                freeingThread: freeingThread, isStopped: true)
        }
        unsafe roster.pointee.orphansLock.withLock {
            freed += unsafe roster.orphans.drain(
                freeingThread: freeingThread, isStopped: true)
        }
        return freed
    }

    private static func isStopped(_ roster: UnsafeMutablePointer<Roster>) -> Bool {
        if unsafe roster.pointee.lock != nil { return true }  // its holder excludes all others
        return unsafe roster.pointee.world.pointee.roll.withLock {
            unsafe World.isStopActive(over: roster)
        }
    }

    /// Removes a roster from its world's list. The roll is held.
    private static func unlist(
        _ roster: UnsafeMutablePointer<Roster>, from world: UnsafeMutablePointer<World>
    ) {
        if unsafe world.pointee.rosters == roster {
            unsafe world.pointee.rosters = roster.pointee.next
            return
        }
        var before = unsafe world.pointee.rosters!
        while unsafe before.pointee.next != roster { unsafe before = before.pointee.next! }
        unsafe before.pointee.next = roster.pointee.next
    }

    /// Calls `body` for each thread state, the roll held: `body` neither waits nor takes the roll. For a pause, in
    /// which the listed threads stand still; but others may be born, hence the roll.
    public static func forEachThread(
        of roster: UnsafeMutablePointer<Roster>,
        _ body: (UnsafeMutablePointer<ThreadRecord>) -> Void
    ) {
        let world = unsafe roster.pointee.world
        unsafe world.pointee.roll.lock()
        unsafe forEachMember(of: roster, body)
        unsafe world.pointee.roll.unlock()
    }

    /// Whether the calling OS thread is away from a thread state of this interpreter (`setAway`).
    public static func hasAwayThreadOfCaller(_ roster: UnsafeMutablePointer<Roster>) -> Bool {
        let caller = CallingThread.readerNumber
        var isFound = false
        unsafe forEachThread(of: roster) { thread in
            // relaxed, both: only what the caller wrote itself matters
            let isOurs = unsafe thread.pointee.boundThread.load(ordering: .relaxed) == caller
            if isOurs, unsafe thread.pointee.isAway.load(ordering: .relaxed) { isFound = true }
        }
        return isFound
    }

    /// Calls `body` for each thread state, dormant or not. The roll is held.
    static func forEachMember(
        of roster: UnsafeMutablePointer<Roster>,
        _ body: (UnsafeMutablePointer<ThreadRecord>) -> Void
    ) {
        unsafe forEach(from: roster.pointee.threads, body)
        unsafe forEach(from: roster.pointee.dormant, body)
    }

    /// Calls `body` for each thread state that is not dormant; it may take that one out. The roll is held.
    static func forEachListed(
        of roster: UnsafeMutablePointer<Roster>,
        _ body: (UnsafeMutablePointer<ThreadRecord>) -> Void
    ) {
        unsafe forEach(from: roster.pointee.threads, body)
    }

    private static func forEach(
        from first: UnsafeMutablePointer<ThreadRecord>?,
        _ body: (UnsafeMutablePointer<ThreadRecord>) -> Void
    ) {
        var next = unsafe first
        while let thread = unsafe next {
            unsafe next = thread.pointee.next
            unsafe body(thread)
        }
    }
}

extension UnsafeMutablePointer where Pointee == Roster {
    /// This interpreter's own stop.
    var stop: UnsafeMutablePointer<Stop> {
        unsafe withUnsafePointer(to: pointee.stop) { unsafe .init(mutating: $0) }
    }

    /// Deferred frees of threads that are gone.
    var orphans: UnsafeMutablePointer<DeferredQueue> {
        unsafe withUnsafePointer(to: pointee.orphans) { unsafe .init(mutating: $0) }
    }

    /// The count of resumed threads, to sleep on.
    var resumedCountAddress: UnsafePointer<Atomic<UInt32>> {
        unsafe withUnsafePointer(to: pointee.resumedCount) { unsafe $0 }
    }
}
