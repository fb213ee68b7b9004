// What the collector keeps of one interpreter, in raw memory that `InterpreterObjects.collectorContext` points at.

internal import StillpointMemory
public import StillpointObjects
public import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// One interpreter's collector.
@safe
public struct CollectorState: ~Copyable {
    /// immutable
    let roster: UnsafeMutablePointer<Roster>
    /// immutable
    let objects: UnsafeMutablePointer<InterpreterObjects>

    /// Held by who collects, from before the stop until its report is written. Who waits for it is detached, and
    /// nobody waits for it in a pause.
    let turn = ParkingMutex()
    /// The thread state that holds the turn, 0 while nobody does. atomic, no edge: a thread only looks for its own
    let collectingThread = Atomic<UInt>(0)
    /// How many collections have had their pause. written world stopped, read by attached threads: ordered by the
    /// stop [park], [resume]; atomic for those who read it detached, by the turn
    let pauseCount = Atomic<UInt64>(0)

    /// guarded by the turn
    var lastReport = CollectionReport()
    // What all collections did. written by who holds the turn; atomic, no edge: statistics
    let finishedCount = Atomic<UInt64>(0)
    let totalObjectsFreed = Atomic<Int>(0)
    let totalBytesFreed = Atomic<Int>(0)

    // Chosen by the embedder while no thread runs. immutable then
    /// The least number of allocated bytes that makes a collection due.
    public var minimumByteCount = 64 << 20
    public var collectsAutomatically = true
    /// Whether each collection is checked by the oracle.
    public var isVerifying = false
    /// The most entries of the mark stack: small in tests, so that it overflows.
    public var markStackLimit = Int.max

    private init(
        roster: UnsafeMutablePointer<Roster>, objects: UnsafeMutablePointer<InterpreterObjects>
    ) {
        unsafe self.roster = roster
        unsafe self.objects = objects
    }

    /// The collector of the interpreter whose objects these are; before its first thread state.
    public static func make(
        for objects: UnsafeMutablePointer<InterpreterObjects>
    ) throws(PlatformError) -> UnsafeMutablePointer<CollectorState> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<CollectorState>.stride, alignment: 64)
        let state = unsafe memory.bindMemory(to: CollectorState.self, capacity: 1)
        unsafe state.initialize(
            to: CollectorState(roster: objects.pointee.roster, objects: objects))
        unsafe objects.pointee.collectorContext = UnsafeMutableRawPointer(state)
        return unsafe state
    }

    /// Frees the collector of an interpreter that has no thread states any more.
    public static func destroy(_ state: UnsafeMutablePointer<CollectorState>) {
        require(unsafe !state.pointee.turn.isLocked, "a collector destroyed while it collects")
        unsafe state.deinitialize(count: 1)
        unsafe RawMemory.free(state)
    }

    /// The collector of the interpreter that `thread` belongs to, if it has one.
    static func of(
        _ thread: UnsafeMutablePointer<ThreadRecord>
    ) -> UnsafeMutablePointer<CollectorState>? {
        let objects = unsafe InterpreterObjects.of(thread.pointee.roster)
        return unsafe objects.pointee.collectorContext?.assumingMemoryBound(
            to: CollectorState.self)
    }
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    var world: UnsafeMutablePointer<World> { unsafe pointee.roster.pointee.world }
    var heap: UnsafeMutablePointer<InterpreterHeap> { unsafe pointee.roster.pointee.heap }
    var types: UnsafeMutablePointer<TypeTable> { unsafe pointee.objects.pointee.types }

    /// What was collected so far: collections, objects and bytes freed. Any thread that keeps the interpreter alive.
    public func totals() -> (collections: UInt64, objectsFreed: Int, bytesFreed: Int) {
        // relaxed: three figures, each exact at some moment
        unsafe (
            pointee.finishedCount.load(ordering: .relaxed),
            pointee.totalObjectsFreed.load(ordering: .relaxed),
            pointee.totalBytesFreed.load(ordering: .relaxed))
    }
}
