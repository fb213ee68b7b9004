// Frees that wait for a grace period: first in, first out, each with the number of the grace period after
// which no reader can hold the memory.
//
// What is deferred is bounded by bytes and by time, not by a number of items:
//   bytes  past `softLimitByteCount` the service thread is asked for a grace period at once; past
//          `hardLimitByteCount` the owner's next safepoint waits for it, detached (floor 4).
//   time   the first item put into an empty queue asks the service thread, which runs a grace period no later
//          than its interval after.
// One big array counts for what it is: CPython 3.13 counts items and was seen holding 6.7 GB.

public import StillpointPlatform

/// Frees `block`. `freeingThread` is the record of the thread that does it, which is attached or has the
/// interpreter stopped; `nil` when an interpreter ends.
public typealias DeferredFree = @convention(c) (
    _ block: UnsafeMutableRawPointer, _ freeingThread: UnsafeMutableRawPointer?
) -> Void

/// A queue of deferred frees. Not thread-safe: its owner's, or whoever has exclusive right to the owner.
@safe public struct DeferredQueue: ~Copyable {
    @unsafe struct Item {
        var block: UnsafeMutableRawPointer
        var free: DeferredFree
        var byteCount: Int
        var goal: UInt64
    }

    /// The head of a chunk of raw memory; its items follow. Those from `first` up to `end` wait.
    @unsafe struct Chunk {
        var next: UnsafeMutablePointer<Chunk>?
        var first: Int32
        var end: Int32
        static let capacity: Int32 = 254
        static var byteCount: Int {
            unsafe MemoryLayout<Chunk>.stride + Int(capacity) * MemoryLayout<Item>.stride
        }
    }

    /// Past this many bytes the service thread is asked for a grace period at once.
    public static let softLimitByteCount = 1 << 20
    /// Past this many bytes the owner waits for a grace period at its next safepoint.
    public static let hardLimitByteCount = 8 << 20

    fileprivate var head: UnsafeMutablePointer<Chunk>?
    fileprivate var tail: UnsafeMutablePointer<Chunk>?
    fileprivate var isDraining = false
    private let signal: UnsafeMutablePointer<ServiceSignal>

    /// Whether items wait, for the service thread to look at. A hint. atomic, written by the owner, no edge
    fileprivate let isPendingHint = Atomic<Bool>(false)

    /// Bytes waiting.
    public fileprivate(set) var byteCount = 0
    /// Items waiting.
    public fileprivate(set) var count = 0

    public init(signal: UnsafeMutablePointer<ServiceSignal>) {
        unsafe self.signal = signal
        unsafe head = nil
        unsafe tail = nil
    }

    public var isEmpty: Bool { count == 0 }
    /// Whether items wait, as any thread may ask at any time.
    public var isPending: Bool { isPendingHint.load(ordering: .relaxed) }
    public var isOverHardLimit: Bool { byteCount > Self.hardLimitByteCount }

    /// Frees `block` by `free` once every thread has passed a quiescent state. No thread that looks for the
    /// block from now on finds it.
    /// - Parameter byteCount: what the block holds back, in bytes.
    /// - Throws: `PlatformError` when there is no memory for the queue; nothing was deferred then.
    public mutating func append(
        _ block: UnsafeMutableRawPointer, byteCount: Int, free: @escaping DeferredFree
    ) throws(PlatformError) {
        require(byteCount >= 0, "a deferred free of a negative size")
        if unsafe tail == nil || tail!.pointee.end == Chunk.capacity { try addChunk() }
        let item = unsafe Item(
            block: block, free: free, byteCount: byteCount, goal: Reclamation.nextGoal())
        unsafe Self.items(of: tail!).advanced(by: Int(tail!.pointee.end)).initialize(to: item)
        unsafe tail!.pointee.end += 1
        count += 1
        self.byteCount += byteCount
        isPendingHint.store(true, ordering: .relaxed)
        let isUrgent = self.byteCount > Self.softLimitByteCount
        unsafe ServiceSignal.request(
            isUrgent ? Reclamation.urgentRequest : Reclamation.request, of: signal)
    }

    /// Puts all items of `other` behind ours. A later goal in front of an earlier one only delays that one.
    public mutating func takeAll(from other: inout DeferredQueue) {
        guard unsafe other.head != nil else { return }
        if unsafe tail == nil {
            unsafe head = other.head
        } else {
            unsafe tail!.pointee.next = other.head
        }
        unsafe tail = other.tail
        count += other.count
        byteCount += other.byteCount
        isPendingHint.store(count > 0, ordering: .relaxed)
        other.isPendingHint.store(false, ordering: .relaxed)
        unsafe other.head = nil
        unsafe other.tail = nil
        other.count = 0
        other.byteCount = 0
    }

    private mutating func addChunk() throws(PlatformError) {
        let memory = try unsafe RawMemory.allocate(byteCount: Chunk.byteCount)
        let chunk = unsafe memory.bindMemory(to: Chunk.self, capacity: 1)
        unsafe chunk.initialize(to: Chunk(next: nil, first: 0, end: 0))
        if unsafe tail == nil {
            unsafe head = chunk
        } else {
            unsafe tail!.pointee.next = chunk
        }
        unsafe tail = chunk
    }

    fileprivate static func items(of chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<Item> {
        let first = unsafe UnsafeMutableRawPointer(chunk) + MemoryLayout<Chunk>.stride
        return unsafe first.assumingMemoryBound(to: Item.self)
    }
}

extension UnsafeMutablePointer where Pointee == DeferredQueue {
    /// Frees what the grace periods that have ended allow. What is freed may append to the same queue, which is why
    /// this is not a mutating method: every look at the queue is a new one.
    /// - Parameter isStopped: the interpreter is stopped, which is a grace period for all that it deferred.
    /// - Returns: how many were freed.
    @discardableResult
    public func drain(freeingThread: UnsafeMutableRawPointer?, isStopped: Bool = false) -> Int {
        if unsafe pointee.isDraining || pointee.isEmpty { return 0 }
        unsafe pointee.isDraining = true
        let completed = isStopped ? UInt64.max : Reclamation.completedGoal
        var freed = 0
        while let chunk = unsafe pointee.head {
            if unsafe chunk.pointee.first == chunk.pointee.end {
                unsafe pointee.head = chunk.pointee.next
                if unsafe pointee.head == nil { unsafe pointee.tail = nil }
                unsafe RawMemory.free(chunk)
                continue
            }
            let item = unsafe DeferredQueue.items(of: chunk)[Int(chunk.pointee.first)]
            guard unsafe item.goal <= completed else { break }
            unsafe chunk.pointee.first += 1
            unsafe pointee.count -= 1
            unsafe pointee.byteCount -= item.byteCount
            freed += 1
            unsafe item.free(item.block, freeingThread)
        }
        if unsafe pointee.isEmpty { unsafe pointee.isPendingHint.store(false, ordering: .relaxed) }
        assert(
            unsafe pointee.count > 0 || pointee.byteCount == 0, "an empty queue that counts bytes")
        unsafe pointee.isDraining = false
        return freed
    }
}
