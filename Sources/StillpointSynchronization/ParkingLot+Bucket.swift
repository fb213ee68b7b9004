// The parking lot's table: buckets by the hash of an address, each with a lock of its own and a
// queue of waiters that lie on their own stacks. The states and invariants are those of
// ParkingLot.swift.
//
// A bucket's lock word, and who makes each move:
//
//          a thread that wants it              a thread that wants it and goes to sleep
//   free (0) <-----------------> held (1) ----------------------------> contended (2)
//      ^         its holder                                                |
//      +-------------------------------------------------------------------+
//                       its holder, who wakes one sleeper
//
// B1  Whoever has slept takes the lock as contended, since it cannot know whether others sleep.

internal import CStillpoint
internal import StillpointPlatform

/// One thread's wait: on its stack, from queueing to wake.
@safe
struct ParkedWaiter: ~Copyable {
    /// 0 until the wake. Atomic, edge [wake]. The first field: `wakeWord(of:)` counts on it.
    let isWoken = Atomic<UInt32>(0)
    /// Immutable.
    let address: UInt
    /// Immutable.
    let kind: UInt
    /// Nanoseconds of the monotonic clock. Immutable.
    let since: UInt64
    /// Guarded by the bucket's lock; read by the waiter after [wake].
    var token: UInt = 0
    /// Guarded by the bucket's lock.
    var isQueued = false
    /// Guarded by the bucket's lock while queued; the unparker's own once taken.
    var next: UnsafeMutablePointer<ParkedWaiter>?
    /// Guarded by the bucket's lock while queued.
    var previous: UnsafeMutablePointer<ParkedWaiter>?

    init(address: UInt, kind: UInt, since: UInt64) {
        self.address = address
        self.kind = kind
        self.since = since
    }

    static func wakeWord(
        of waiter: UnsafeMutablePointer<ParkedWaiter>
    ) -> UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafeRawPointer(waiter).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}

/// Guarded by the bucket's lock.
@safe
struct ParkedQueue {
    var first: UnsafeMutablePointer<ParkedWaiter>?
    var last: UnsafeMutablePointer<ParkedWaiter>?
}

/// A handle on one bucket: a cache line that holds the lock's word and, eight bytes on, the queue.
@safe
struct ParkingBucket: @unchecked Sendable {
    let line: UnsafeMutableRawPointer

    private var word: UnsafePointer<Atomic<UInt32>> {
        unsafe UnsafeRawPointer(line).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
    private var queue: UnsafeMutablePointer<ParkedQueue> {
        unsafe (line + 8).assumingMemoryBound(to: ParkedQueue.self)
    }

    func lock() {
        if unsafe SpecifiedLock.bucket.lock(at: line) { return }
        // acquiring: [bucket], with `unlock`.
        let (exchanged, _) = unsafe word.pointee.compareExchange(
            expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed)
        if !exchanged { lockSlow() }
    }

    @inline(never)
    private func lockSlow() {
        var spins = 0
        while spins < spinLimit(64) {
            spinHint()
            spins += 1
            // relaxed: a hint; the exchange that follows decides. acquiring: [bucket].
            if unsafe word.pointee.load(ordering: .relaxed) == 0,
                unsafe word.pointee.compareExchange(
                    expected: 0, desired: 1, successOrdering: .acquiring,
                    failureOrdering: .relaxed
                ).exchanged
            {
                return
            }
        }
        // acquiring: [bucket].
        while unsafe word.pointee.exchange(2, ordering: .acquiring) != 0 {  // B1
            _ = unsafe Futex.wait(on: word, while: 2)
        }
    }

    func unlock() {
        if unsafe SpecifiedLock.bucket.unlock(at: line) { return }
        // releasing: [bucket], with `lock`.
        let old = unsafe word.pointee.exchange(0, ordering: .releasing)
        assert(old != 0, "a bucket's lock was let go twice")
        if old == 2 { unsafe Futex.wake(word) }
    }

    // MARK: Under the lock

    func append(_ waiter: UnsafeMutablePointer<ParkedWaiter>) {
        unsafe assert(!waiter.pointee.isQueued)
        unsafe waiter.pointee.isQueued = true
        unsafe waiter.pointee.previous = queue.pointee.last
        if let last = unsafe queue.pointee.last {
            unsafe last.pointee.next = waiter
        } else {
            unsafe queue.pointee.first = waiter
        }
        unsafe queue.pointee.last = waiter
    }

    func remove(_ waiter: UnsafeMutablePointer<ParkedWaiter>) {
        unsafe assert(waiter.pointee.isQueued)
        let next = unsafe waiter.pointee.next
        let previous = unsafe waiter.pointee.previous
        if let next = unsafe next {
            unsafe next.pointee.previous = previous
        } else {
            unsafe queue.pointee.last = previous
        }
        if let previous = unsafe previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe queue.pointee.first = next
        }
        unsafe waiter.pointee.next = nil
        unsafe waiter.pointee.previous = nil
        unsafe waiter.pointee.isQueued = false
    }

    var firstWaiter: UnsafeMutablePointer<ParkedWaiter>? { unsafe queue.pointee.first }

    /// The first waiter that `isWanted` accepts.
    func first(
        where isWanted: (UnsafeMutablePointer<ParkedWaiter>) -> Bool
    ) -> UnsafeMutablePointer<ParkedWaiter>? {
        var candidate = unsafe firstWaiter
        while let waiter = unsafe candidate {
            if unsafe isWanted(waiter) { return unsafe waiter }
            unsafe candidate = waiter.pointee.next
        }
        return nil
    }

    func hasWaiter(at address: UInt) -> Bool {
        unsafe first(where: { unsafe $0.pointee.address == address }) != nil
    }
}

/// The process's buckets.
enum ParkingTable {
    /// A power of two. The chance that two addresses in use share a bucket is what it buys; a
    /// shared bucket costs a longer walk and nothing else.
    static var bucketCount: Int { partCount(1 << bucketBits) }
    private static var bucketBits: Int { Int(SP_PARKING_BUCKET_BITS) }
    static var lineByteCount: Int { Int(SP_PARKING_LINE_BYTE_COUNT) }

    /// A part of the program's image, so that no wait needs memory: a lock has no error to throw. Zeroed memory is a
    /// table of free, empty buckets.
    private static var lines: UnsafeMutableRawPointer { unsafe sp_parking_lines() }

    static func bucket(at index: Int) -> ParkingBucket {
        unsafe ParkingBucket(line: lines + index * lineByteCount)
    }

    /// Fibonacci hashing: the upper bits of the product depend on every bit of the address, the
    /// lowest included, as locks are single bytes.
    static func bucket(of address: UInt) -> ParkingBucket {
        let product = UInt64(address) &* 0x9E37_79B9_7F4A_7C15
        return bucket(at: Int(product >> UInt64(64 - bucketBits)) & (bucketCount - 1))
    }

    /// One thread in the process, right after fork: plain writes.
    static func clear() {
        unsafe lines.initializeMemory(
            as: UInt8.self, repeating: 0, count: bucketCount * lineByteCount)
    }
}
