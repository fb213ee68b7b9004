// The merge queue of a thread state: objects of its own of which another thread gave up a count that only the owner
// can take from its local counts. Each entry holds one count of its object (R4).
//
// Q1  Pushed to under the lock of the owner's identifier while the owner is listed; taken whole under it.
// Q2  What is taken is merged by the owner at a safepoint; or by who holds it, clears it, or has the world stopped.
// Q3  The queue turns from empty to not empty: the owner's word says mergeDue, and if the owner is not attached the
//     service thread is asked. So a count waits no longer than the owner's next safepoint, or the service's interval.

internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointThreads

/// The queue: chunks of raw memory. Guarded by the lock of the owner's identifier.
@safe
struct MergeQueue: ~Copyable {
    /// A head; the addresses follow it.
    @safe
    struct Chunk {
        var next: UnsafeMutablePointer<Chunk>?
        var count: Int
        static let byteCount = 4096
        static let capacity = (byteCount - 16) / 8
    }

    var first: UnsafeMutablePointer<Chunk>?
    /// An empty chunk for next time, so that a queue that fills and empties asks for no memory.
    var spare: UnsafeMutablePointer<Chunk>?

    init() {
        unsafe first = nil
        unsafe spare = nil
    }

    var isEmpty: Bool { unsafe first == nil }

    /// False: there is no memory for it.
    mutating func push(_ object: ObjectPointer) -> Bool {
        if unsafe first == nil || first!.pointee.count == Chunk.capacity {
            guard let chunk = unsafe takeSpare() else { return false }
            unsafe chunk.initialize(to: Chunk(next: first, count: 0))
            unsafe first = chunk
        }
        let chunk = unsafe first!
        unsafe Self.objects(of: chunk)[chunk.pointee.count] = object
        unsafe chunk.pointee.count += 1
        return true
    }

    private mutating func takeSpare() -> UnsafeMutablePointer<Chunk>? {
        if let chunk = unsafe spare {
            unsafe spare = nil
            return unsafe chunk
        }
        guard let memory = unsafe try? RawMemory.allocate(byteCount: Chunk.byteCount) else {
            return nil
        }
        return unsafe memory.bindMemory(to: Chunk.self, capacity: 1)
    }

    /// Keeps an emptied chunk, or frees it.
    mutating func giveBack(_ chunk: UnsafeMutablePointer<Chunk>) {
        if unsafe spare == nil { unsafe spare = chunk } else { unsafe RawMemory.free(chunk) }
    }

    deinit {
        assert(unsafe first == nil, "a merge queue ends with counts in it")
        unsafe RawMemory.free(spare)
    }

    /// Merges what was taken from a queue, and hands who died to `bury`. An emptied chunk goes to the thread state that
    /// counts the merges.
    static func merge(
        _ chunks: UnsafeMutablePointer<Chunk>, countedBy thread: UnsafeMutablePointer<ObjectThread>,
        bury: (ObjectPointer) -> Void
    ) {
        var next = unsafe Optional(chunks)
        while let chunk = unsafe next {
            unsafe next = chunk.pointee.next
            let count = unsafe chunk.pointee.count
            unsafe thread.own.pointee.mergedCount += count
            for index in 0..<count {
                let object = unsafe objects(of: chunk)[index]
                if unsafe Counting.merge(object, adding: -1) { unsafe bury(object) }
            }
            unsafe thread.owners.locked(thread.ownerIdentifier) { _ in
                unsafe thread.queue.pointee.giveBack(chunk)
            }
        }
    }

    static func objects(of chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<ObjectPointer> {
        unsafe (UnsafeMutableRawPointer(chunk) + MemoryLayout<Chunk>.stride)
            .assumingMemoryBound(to: ObjectPointer.self)
    }
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// Merges what is queued to this thread state, on the thread of `worker`, until nothing is. The caller is the
    /// owner, or has the right to what the owner owns (R1).
    func mergeQueued(by worker: UnsafeMutablePointer<ObjectThread>) {
        unsafe mergeQueued { object in unsafe Destruction.destroy(object, by: worker) }
    }

    /// The same; who died is handed to `bury`.
    func mergeQueued(bury: (ObjectPointer) -> Void) {
        while let chunks = unsafe takeQueue() {
            unsafe MergeQueue.merge(chunks, countedBy: self, bury: bury)
        }
    }

    /// Takes all that is queued.
    func takeQueue() -> UnsafeMutablePointer<MergeQueue.Chunk>? {
        unsafe owners.locked(own.pointee.ownerIdentifier) { _ in
            let first = unsafe queue.pointee.first
            unsafe queue.pointee.first = nil
            return unsafe first
        }
    }
}
