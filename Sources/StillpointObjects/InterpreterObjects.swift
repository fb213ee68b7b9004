// One interpreter's objects: its roots, what its ended thread states left, its figures, and what a collector asks.

public import StillpointMemory
public import StillpointPlatform
internal import StillpointSynchronization
public import StillpointThreads

/// How many objects were made and have died, and what became of counts: exact at a stop.
public struct ObjectCounts: Equatable, Sendable {
    /// Objects made; and those destroyed, by counts or by a collector that says so (`noteDied`). Old storage of
    /// containers counts as an object until its grace period has passed.
    public var born = 0
    public var died = 0
    /// Counts handed to the owners of their objects; those merged by or for owners; and those for which there was no
    /// memory, so that their objects wait for a collection.
    public var queued = 0
    public var merged = 0
    public var lost = 0

    public init() {}

    mutating func add(_ thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe born += thread.own.pointee.bornCount
        unsafe died += thread.own.pointee.diedCount
        unsafe queued += thread.own.pointee.queuedCount
        unsafe merged += thread.own.pointee.mergedCount
        unsafe lost += thread.own.pointee.lostCount
    }
}

/// One an interpreter, in raw memory. Made before the first thread state, found from the roster.
@safe
public struct InterpreterObjects: ~Copyable {
    /// immutable
    public let runtime: UnsafeMutablePointer<RuntimeObjects>
    /// immutable
    public let roster: UnsafeMutablePointer<Roster>
    /// immutable
    public let types: UnsafeMutablePointer<TypeTable>
    /// The heap of the objects. immutable
    public let heap: UnsafeMutablePointer<InterpreterHeap>

    /// Whatever the collector of this interpreter keeps. Written before threads exist, or world stopped
    public var collectorContext: UnsafeMutableRawPointer?
    /// When this many bytes have been allocated since the last collection, a collection is due. atomic, no edge: a
    /// setting
    public let collectionThresholdByteCount = Atomic<Int>(.max)

    var handleTable: HandleTable

    /// Guards what follows. A leaf: under it nothing waits for a thread or passes a safepoint.
    let lock = ParkingMutex()
    /// The dead that thread states which were never attached left, linked. guarded by lock
    var leftovers: ObjectPointer?
    /// Whether there are any. atomic, no edge: a hint
    let hasLeftovers = Atomic<Bool>(false)
    /// Old storages that could not be deferred, linked. guarded by lock
    var undeferred: ObjectPointer?
    /// The figures of thread states that have ended. guarded by lock
    var gone = ObjectCounts()

    /// Makes it, and the roster point to it.
    public static func make(
        for roster: UnsafeMutablePointer<Roster>, in runtime: UnsafeMutablePointer<RuntimeObjects>
    ) throws(PlatformError) -> UnsafeMutablePointer<InterpreterObjects> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<InterpreterObjects>.stride, alignment: 128)
        let interpreter = unsafe memory.bindMemory(to: InterpreterObjects.self, capacity: 1)
        unsafe interpreter.initialize(
            to: InterpreterObjects(
                runtime: runtime, roster: roster, types: runtime.types,
                heap: roster.pointee.heap, collectorContext: nil, handleTable: HandleTable(),
                leftovers: nil, undeferred: nil))
        unsafe roster.pointee.context = UnsafeMutableRawPointer(interpreter)
        return unsafe interpreter
    }

    /// The objects' part of the interpreter whose roster this is.
    @inlinable
    public static func of(
        _ roster: UnsafeMutablePointer<Roster>
    ) -> UnsafeMutablePointer<InterpreterObjects> {
        unsafe roster.pointee.context!.assumingMemoryBound(to: InterpreterObjects.self)
    }

    /// Frees it, after its thread states are gone. Objects that are left go with the heap: no destroy function runs.
    /// - Returns: how many handles are still held. Their memory is left, so that their end is diagnosed.
    @discardableResult
    public static func destroy(_ interpreter: UnsafeMutablePointer<InterpreterObjects>) -> Int {
        let heldCount = unsafe interpreter.handles.freeChunks()
        unsafe interpreter.deinitialize(count: 1)
        unsafe RawMemory.free(interpreter)
        return heldCount
    }
}

extension UnsafeMutablePointer where Pointee == InterpreterObjects {
    /// The roots.
    @usableFromInline var handles: UnsafeMutablePointer<HandleTable> {
        // A part of a structure that stays where it is.
        unsafe withUnsafePointer(to: pointee.handleTable) { unsafe .init(mutating: $0) }
    }

    // MARK: For a collector, with the world stopped

    /// Calls `body` with every root slot that holds an object.
    public func visitHandles(_ body: (ObjectSlot) -> Void) { unsafe handles.visit(body) }

    /// Merges every count that waits: those queued to any thread state, attached or not; and frees what waits for a
    /// stop. `worker` is the stopper's.
    /// - Parameter leavesDead: who dies of it is left lying, for a sweep of the same pause that frees whatever nobody
    ///   refers to: so no destroy function, the embedder's code, runs in the pause. Else the dead are destroyed here.
    public func mergeAllQueued(
        by worker: UnsafeMutablePointer<ObjectThread>, leavingDead leavesDead: Bool = false
    ) {
        if leavesDead { unsafe forgetLeftovers() } else { unsafe buryLeftovers(by: worker) }
        // Destroying may queue to a thread that has had its turn. And it runs the embedder's code: so under the roll a
        // queue is only taken.
        while let chunks = unsafe takeAnyQueue() {
            unsafe MergeQueue.merge(chunks, countedBy: worker) { object in
                if !leavesDead { unsafe Destruction.destroy(object, by: worker) }
            }
        }
        unsafe Roster.forEachThread(of: pointee.roster) { record in
            unsafe Retirement.freeAll(UnsafeMutablePointer<ObjectThread>(record), by: worker)
        }
        unsafe Retirement.freeAll(of: self, by: worker)
    }

    private func takeAnyQueue() -> UnsafeMutablePointer<MergeQueue.Chunk>? {
        var found: UnsafeMutablePointer<MergeQueue.Chunk>?
        unsafe Roster.forEachThread(of: pointee.roster) { record in
            if unsafe found != nil { return }
            unsafe found = UnsafeMutablePointer<ObjectThread>(record).takeQueue()
        }
        return unsafe found
    }

    /// How many objects and counts there have been.
    public func counts() -> ObjectCounts {
        unsafe pointee.lock.lock()
        var result = unsafe pointee.gone
        unsafe pointee.lock.unlock()
        unsafe Roster.forEachThread(of: pointee.roster) { record in
            unsafe result.add(UnsafeMutablePointer<ObjectThread>(record))
        }
        return result
    }

    // MARK: What thread states leave

    /// Takes a dead object that nobody is there to destroy.
    func leave(dead object: ObjectPointer) {
        unsafe pointee.lock.lock()
        unsafe Destruction.markDead(object, before: pointee.leftovers)
        unsafe pointee.leftovers = object
        unsafe pointee.hasLeftovers.store(true, ordering: .relaxed)
        unsafe pointee.lock.unlock()
    }

    /// Destroys the dead that were left.
    func buryLeftovers(by worker: UnsafeMutablePointer<ObjectThread>) {
        guard unsafe pointee.hasLeftovers.load(ordering: .relaxed) else { return }
        var next = unsafe forgetLeftovers()
        while let object = unsafe next {
            unsafe next = Destruction.successor(of: object)
            unsafe Destruction.destroy(object, by: worker)
        }
    }

    /// Empties the list of leftovers: the objects are the caller's now.
    @discardableResult
    private func forgetLeftovers() -> ObjectPointer? {
        unsafe pointee.lock.lock()
        let first = unsafe pointee.leftovers
        unsafe pointee.leftovers = nil
        unsafe pointee.hasLeftovers.store(false, ordering: .relaxed)
        unsafe pointee.lock.unlock()
        return unsafe first
    }

    /// Takes over figures and old storages of a thread state that ends.
    func takeLeavings(of thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe pointee.lock.lock()
        var gone = unsafe pointee.gone
        unsafe gone.add(thread)
        unsafe pointee.gone = gone
        unsafe thread.own.pointee.bornCount = 0
        unsafe thread.own.pointee.diedCount = 0
        unsafe thread.own.pointee.queuedCount = 0
        unsafe thread.own.pointee.mergedCount = 0
        unsafe thread.own.pointee.lostCount = 0
        while let storage = unsafe thread.own.pointee.undeferred {
            unsafe thread.own.pointee.undeferred = Destruction.successor(of: storage)
            unsafe storage.header.pointee.owner.store(
                OwnerWord.link(to: pointee.undeferred), ordering: .relaxed)
            unsafe pointee.undeferred = storage
        }
        unsafe pointee.lock.unlock()
    }
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// Whether nothing is queued to this thread state.
    var isIdle: Bool {
        unsafe owners.locked(own.pointee.ownerIdentifier) { _ in unsafe queue.pointee.isEmpty }
    }
}
