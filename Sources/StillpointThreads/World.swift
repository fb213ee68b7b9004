// The threads of one runtime: its interpreters' rosters, the lock over all of them, the turns of stops, and
// what was measured of stops.

public import StillpointPlatform
public import StillpointSynchronization

/// One runtime's threads, in raw memory that the runtime owns.
@safe public struct World: ~Copyable {
    /// The roll: guards the list of rosters, their lists of threads, who has the turn to stop, and every change
    /// of a word from or to `suspended` that is not the owner's. Held for walks, never across a wait.
    let roll = ParkingMutex()

    /// guarded by roll
    var rosters: UnsafeMutablePointer<Roster>?
    /// Stops that wait for their turn, first in, first out. guarded by roll
    var firstRequest: UnsafeMutablePointer<StopRequest>?
    /// Stops of single interpreters under way. guarded by roll
    var rosterStopCount = 0
    /// The stop of all interpreters. `isActive` guarded by roll
    var stop: Stop

    /// immutable
    public let hooks: ThreadHooks
    /// Asks the service thread. See ServiceThread.swift.
    public var signal: ServiceSignal
    /// The service thread, once started. guarded by roll
    var service: SystemThread?

    let nextIdentifier = Atomic<UInt64>(1)
    /// atomic, no edge: a measurement's choice, made while nothing stops
    let isRescanning = Atomic<Bool>(false)

    /// From the request having its turn to all threads suspended. Any thread may read.
    public let timeToSafepoint: DurationHistogram
    /// From all threads suspended to all let go. Any thread may read.
    public let pause: DurationHistogram

    private init(hooks: ThreadHooks) throws(PlatformError) {
        // What can fail comes first: a struct half made could not be taken apart.
        let timeToSafepoint = try DurationHistogram()
        let pause = try DurationHistogram()
        unsafe rosters = nil
        unsafe firstRequest = nil
        stop = Stop()
        self.hooks = hooks
        signal = ServiceSignal()
        service = nil
        self.timeToSafepoint = timeToSafepoint
        self.pause = pause
    }

    /// A world without interpreters, and its service thread.
    public static func make(
        hooks: ThreadHooks = ThreadHooks()
    ) throws(PlatformError) -> UnsafeMutablePointer<World> {
        let world = try unsafe makeUnserved(hooks: hooks)
        do throws(PlatformError) {
            unsafe world.pointee.service = try ServiceThread.start(for: world)
        } catch {
            unsafe world.deinitialize(count: 1)
            unsafe RawMemory.free(world)
            throw error
        }
        return unsafe world
    }

    /// A world without interpreters, whose service thread is not started: what is asked of it waits.
    static func makeUnserved(
        hooks: ThreadHooks
    ) throws(PlatformError) -> UnsafeMutablePointer<World> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<World>.stride, alignment: 128)
        let world = unsafe memory.bindMemory(to: World.self, capacity: 1)
        do throws(PlatformError) {
            unsafe world.initialize(to: try World(hooks: hooks))
        } catch {
            unsafe RawMemory.free(memory)
            throw error
        }
        return unsafe world
    }

    /// Ends the service thread and frees the world. Its rosters are destroyed already.
    public static func destroy(_ world: UnsafeMutablePointer<World>) {
        require(unsafe world.pointee.rosters == nil, "a world destroyed with interpreters in it")
        unsafe ServiceSignal.request(ServiceThread.end, of: world.signal)
        unsafe world.pointee.service?.join()
        unsafe world.deinitialize(count: 1)
        unsafe RawMemory.free(world)
    }

    /// Calls `body` for each roster in `scope`: one, or all. roll is held.
    static func forEachRoster(
        of world: UnsafeMutablePointer<World>, in scope: UnsafeMutablePointer<Roster>?,
        _ body: (UnsafeMutablePointer<Roster>) -> Void
    ) {
        if let scope = unsafe scope {
            unsafe body(scope)
            return
        }
        var next = unsafe world.pointee.rosters
        while let roster = unsafe next {
            unsafe next = roster.pointee.next
            unsafe body(roster)
        }
    }

    /// Whether a stop of `roster` has its turn, by itself or as one of all. roll is held.
    static func isStopActive(over roster: UnsafeMutablePointer<Roster>) -> Bool {
        unsafe roster.pointee.stop.isActive || roster.pointee.world.pointee.stop.isActive
    }

    /// Whether a stop has walked over the threads of `roster`, and not yet let them go. roll is held.
    static func hasStopAsked(over roster: UnsafeMutablePointer<Roster>) -> Bool {
        unsafe roster.pointee.stop.hasAsked || roster.pointee.world.pointee.stop.hasAsked
    }
}

extension UnsafeMutablePointer where Pointee == World {
    /// The service thread's signal, which lives as long as the world.
    public var signal: UnsafeMutablePointer<ServiceSignal> {
        unsafe withUnsafePointer(to: pointee.signal) { unsafe .init(mutating: $0) }
    }

    /// The stop of all interpreters.
    var stop: UnsafeMutablePointer<Stop> {
        unsafe withUnsafePointer(to: pointee.stop) { unsafe .init(mutating: $0) }
    }
}
