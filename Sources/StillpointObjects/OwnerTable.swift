// Owner identifiers: which thread state a 16-bit number in an owner word means. One table a runtime.
//
//   free ---claim---> unlisted ---enlist---> listed ---withdraw---> unlisted ---giveBack---> free
//                         made                  may own objects         cleared                deleted
//
// The problem: a thread state ends while objects that it owns live on, and its number is needed again. So the right to
// an object goes with the number: whoever is listed under it is the owner, and while nobody of the object's
// interpreter is, whoever holds the number's lock is. A new thread state under an old number inherits what is left.
//
// O1  A number is listed for at most one thread state.
// O2  A thread state withdraws with its lock held and its queue empty; it uses no object after that.
// O3  Who finds no owner of its own interpreter merges under the lock. So if somebody is listed meanwhile, it is
//     before, and gets the object queued, or after, and finds it merged.
//
// Lock order: a number's lock is a leaf but for memory of the C allocator; nothing under it waits for a thread or
// passes a safepoint, so a pause may take it.
// [queue]  a number's lock

internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// What became of a count handed to an object's owner.
enum Delivery {
    /// The owner merges it at its next safepoint.
    case delivered
    /// There is no owner, so the object was merged; `mergedDead`: it is the caller's to destroy.
    case merged, mergedDead
    /// Nothing was done.
    case outOfMemory
}

/// The table. In raw memory, as long as its runtime.
@safe
public struct OwnerTable: ~Copyable {
    /// The largest number that is given out.
    public static let largestIdentifier = 65_534
    static let shardCount = 64

    /// A lock, on a cache line of its own, for the numbers that leave the same remainder.
    struct Shard: ~Copyable {
        let lock = ParkingMutex()
        let padding: InlineArray<7, UInt64> = InlineArray(repeating: 0)
    }

    /// By number. Each guarded by its shard's lock.
    let entries: UnsafeMutablePointer<UnsafeMutablePointer<ObjectThread>?>
    let shards: UnsafeMutablePointer<Shard>
    private let byteCount: Int

    /// Guards what follows. A leaf.
    let lock = ParkingMutex()
    /// Numbers given back, the last on top. guarded by lock
    let returned: UnsafeMutablePointer<UInt16>
    var returnedCount = 0
    /// The smallest number never given out. guarded by lock
    var fresh = 1
    /// immutable; smaller in tests
    let limit: Int

    init(limit: Int) throws(PlatformError) {
        require(1...Self.largestIdentifier ~= limit, "identifiers are numbers of 16 bits")
        self.limit = limit
        let count = Self.largestIdentifier + 1
        let entryByteCount = unsafe count * MemoryLayout<UnsafeMutablePointer<ObjectThread>?>.stride
        let page = AddressSpace.pageByteCount
        byteCount = (entryByteCount + count * 2 + page - 1) / page * page
        let shards = unsafe try RawMemory.allocate(
            byteCount: Self.shardCount * MemoryLayout<Shard>.stride, alignment: 64
        ).bindMemory(to: Shard.self, capacity: Self.shardCount)
        let start: UnsafeMutableRawPointer
        do throws(PlatformError) {
            // Zero pages from the system: a table of few threads touches few of them.
            unsafe start = try AddressSpace.reserve(byteCount: byteCount, alignment: page)
        } catch {
            unsafe RawMemory.free(shards)
            throw error
        }
        do throws(PlatformError) {
            try unsafe AddressSpace.commit(start, byteCount: byteCount)
        } catch {
            unsafe AddressSpace.release(start, byteCount: byteCount)
            unsafe RawMemory.free(shards)
            throw error
        }
        for index in 0..<Self.shardCount { unsafe (shards + index).initialize(to: Shard()) }
        unsafe self.shards = shards
        unsafe entries = start.bindMemory(
            to: UnsafeMutablePointer<ObjectThread>?.self, capacity: count)
        unsafe returned = (start + entryByteCount).bindMemory(to: UInt16.self, capacity: count)
    }

    deinit {
        unsafe AddressSpace.release(entries, byteCount: byteCount)
        unsafe shards.deinitialize(count: Self.shardCount)
        unsafe RawMemory.free(shards)
    }
}

extension UnsafeMutablePointer where Pointee == OwnerTable {
    /// A number that no thread state has; nil: all are taken.
    func claim() -> UInt64? {
        unsafe pointee.lock.lock()
        defer { unsafe pointee.lock.unlock() }
        if unsafe pointee.returnedCount > 0 {
            let count = unsafe pointee.returnedCount - 1
            unsafe pointee.returnedCount = count
            return unsafe UInt64(pointee.returned[count])
        }
        if unsafe pointee.fresh > pointee.limit { return nil }
        let identifier = unsafe pointee.fresh
        unsafe pointee.fresh = identifier + 1
        return UInt64(identifier)
    }

    /// Lets a number be given out again. Nobody is listed under it.
    func giveBack(_ identifier: UInt64) {
        unsafe pointee.lock.lock()
        let (count, returned) = unsafe (pointee.returnedCount, pointee.returned)
        assert(unsafe count < pointee.limit, "more identifiers returned than given")
        unsafe returned[count] = UInt16(identifier)
        unsafe pointee.returnedCount = count + 1
        unsafe pointee.lock.unlock()
    }

    // Fields are assigned, never changed in place: a change in place of one field looks to ThreadSanitizer like a
    // change of the whole table, whose fields have different locks.

    /// Calls `body` with the lock of a number held, with its entry.
    func locked<Result>(
        _ identifier: UInt64,
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<ObjectThread>?>) -> Result
    ) -> Result {
        let shard = unsafe pointee.shards + Int(identifier) % OwnerTable.shardCount
        unsafe shard.pointee.lock.lock()
        defer { unsafe shard.pointee.lock.unlock() }
        let entries = unsafe pointee.entries
        return unsafe body(entries + Int(identifier))
    }

    /// Lists a thread state under the number that it claimed.
    func enlist(_ thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe locked(thread.own.pointee.ownerIdentifier) { entry in
            require(unsafe entry.pointee == nil, "O1")
            unsafe entry.pointee = thread
        }
    }

    /// Takes a thread state from the list, if nothing is queued to it.
    func withdrawIfIdle(_ thread: UnsafeMutablePointer<ObjectThread>) -> Bool {
        unsafe locked(thread.own.pointee.ownerIdentifier) { entry in
            if unsafe !thread.queue.pointee.isEmpty { return false }
            if unsafe entry.pointee == thread { unsafe entry.pointee = nil }
            return true
        }
    }

    /// Hands a queued object to its owner, or merges it if the owner is gone or of another interpreter (O3).
    func deliver(
        _ object: ObjectPointer, to identifier: UInt64, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> Delivery {
        var mustRequest = false
        let delivery = unsafe locked(identifier) { (entry) -> Delivery in
            guard let owner = unsafe entry.pointee,
                unsafe owner.pointee.record.roster == thread.pointee.record.roster
            else {
                return unsafe Counting.merge(object, adding: -1) ? .mergedDead : .merged
            }
            let wasEmpty = unsafe owner.queue.pointee.isEmpty
            guard unsafe owner.queue.pointee.push(object) else { return .outOfMemory }
            if wasEmpty {
                // The owner's record is there while its entry is: hence under the lock.
                // acquiring: a state read too early would leave work with a thread that has just gone to sleep.
                let word = unsafe owner.pointee.record.participant.word.bitwiseOr(
                    ThreadWord.mergeDue, ordering: .acquiringAndReleasing  // [due]
                ).oldValue
                mustRequest = ThreadWord.state(word) != ThreadWord.attached
            }
            return .delivered
        }
        if mustRequest {
            unsafe ServiceSignal.request(
                ServiceThread.dueWork, of: thread.pointee.record.world.signal)
        }
        return delivery
    }
}
