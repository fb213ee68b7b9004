// Biased reference counts. Most objects are used by the thread that made them, so that thread, the owner, counts in a
// field of its own with plain loads and stores; all others count in a second field, with atomic operations. The
// object's count is the sum. Source of the idea: Choi, Shull, Torrellas, "Biased Reference Counting", 2018, and
// CPython's free-threaded build, whose order of things this follows (Objects/object.c, Python/brc.c).
//
// States (of the shared word) and who makes each move:
//
//                     before it is published, any                 a foreign release that finds no shared count
//        initial -----------------------------> retainable ------------------------------------> queued
//           |  \                                    |    owner, at its                              |
//           |   \__________ as for retainable ______|____ last local count; ________________________|
//           |                                       |    or who has the right (R1)                  |
//           | owner, last local count,              v                                               |
//           | no shared count                    merged <-------------------------------------------+
//           v                                       | the count is zero, whoever brought it there
//          dead  <----------------------------------+
//
// R1  The owner word is written by its owner; by whoever has the owner held or the world stopped; or, when the owner
//     is gone, by who holds the lock of its identifier (OwnerTable.swift). "The right" to an object means one of these.
// R2  Not merged: the owner's local count is at least 1. The count is local + shared; shared alone may be negative.
// R3  Merged: the owner word is 0 (or, immortal, all ones), the count is the shared count, and stays >= 0.
// R4  Queued: the queue holds the count that the queueing release was to give up. So a queued object lives.
// R5  An object whose address can be read by a thread that has no count of it (any reference slot in the heap) is not
//     `initial`. So a zero shared word that such a thread sees is that of a dead or unborn object.
// R6  Dead: shared is merged with a zero count, the owner word is no thread's: every try-retain fails. A free block and
//     one just handed out look the same.
// R7  A shared count at or past 2^28 is saturated: nobody changes it for good any more, and the object lives for ever.
//     The next to look, if it has the right, writes the immortal owner word.
//
// [merged]        owner word and local count cleared  ->  the merged state is visible
// [last release]  a release, with all that its thread did to the object  ->  whoever destroys the object
// [try-retain]    what was written before the object was published  ->  a successful try-retain
// [queue]         the lock of the owner's identifier: a queued count  ->  its merge

public import StillpointMemory
public import StillpointPlatform

/// Retain and release. `thread` is the calling thread's attached state, of the object's interpreter; unless it says
/// otherwise, the caller has a count of the object, or a slot has that the caller knows not to change.
public enum Counting {
    /// Adds one count. The owner's path: two loads, a comparison, an addition and a store; nothing locked.
    @inlinable @inline(__always)
    public static func retain(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        // relaxed, in this file wherever the owner word is touched: its owner alone writes it (R1), and who reads it
        // otherwise only compares the identifier; the edges are the shared word's.
        let word = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        if unsafe OwnerWord.identifier(word) == thread.own.pointee.ownerIdentifier {
            let (sum, isOver) = word.addingReportingOverflow(OwnerWord.one)
            unsafe object.header.pointee.owner.store(
                isOver ? OwnerWord.immortal : sum, ordering: .relaxed)
        } else {
            unsafe retainForeign(object, owner: word)
        }
    }

    /// Gives up one count; destroys the object if it was the last.
    @inlinable @inline(__always)
    public static func release(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let word = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        if unsafe OwnerWord.identifier(word) == thread.own.pointee.ownerIdentifier,
            OwnerWord.localCount(word) > 1
        {
            unsafe object.header.pointee.owner.store(word &- OwnerWord.one, ordering: .relaxed)
        } else {
            unsafe releaseSlow(object, owner: word, by: thread)
        }
    }

    /// Adds one count if the object lives. The caller need not have one: the address comes from a slot that another
    /// thread may change. So even a success may concern another object that lies there now: the caller reads the
    /// slot again, and releases if it has changed (`Barrier.load` does all that).
    ///
    /// False: the object is dead, or nobody without a count could know of it (R5).
    @inlinable @inline(__always)
    public static func tryRetain(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> Bool {
        let word = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        if unsafe OwnerWord.identifier(word) == thread.own.pointee.ownerIdentifier {
            let (sum, isOver) = word.addingReportingOverflow(OwnerWord.one)
            unsafe object.header.pointee.owner.store(
                isOver ? OwnerWord.immortal : sum, ordering: .relaxed)
            return true
        }
        return unsafe tryRetainForeign(object, owner: word)
    }

    /// Makes the object one that `tryRetain` can decide about. Called before its address is stored where threads look
    /// without a lock (R5); the barrier does it.
    @inlinable @inline(__always)
    public static func enableTryRetain(_ object: ObjectPointer) {
        // relaxed: a state once reached is never left downwards.
        let word = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        if SharedWord.state(word) == SharedWord.initial { unsafe enableTryRetainSlow(object) }
    }

    /// The count. World stopped, or nobody else has the object.
    public static func count(of object: ObjectPointer) -> Int {
        let owner = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        let shared = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        return Int(OwnerWord.localCount(owner)) + SharedWord.count(shared)
    }

    // MARK: For who has the right (R1)

    /// Folds the local count and `extra` into the shared count, of which the object is from then on. For a merged
    /// object, adds `extra`.
    /// - Returns: whether the count is zero: the object is dead, and the caller destroys it.
    public static func merge(_ object: ObjectPointer, adding extra: Int = 0) -> Bool {
        let header = unsafe object.header
        let owner = unsafe header.pointee.owner.load(ordering: .relaxed)
        if OwnerWord.identifier(owner) == OwnerWord.immortalIdentifier { return false }
        assert(OwnerWord.identifier(owner) != 0 || owner == OwnerWord.nobody, "R3: a merge of the dead")
        unsafe header.pointee.owner.store(OwnerWord.nobody, ordering: .relaxed)
        let added = Int(clamping: OwnerWord.localCount(owner)) + extra
        var word = unsafe header.pointee.shared.load(ordering: .relaxed)
        while true {
            let count = SharedWord.count(word) + added
            let isOver = SharedWord.isSaturated(word) || count.magnitude >= UInt(SharedWord.limit)
            if isOver {  // R7
                unsafe header.pointee.owner.store(OwnerWord.immortal, ordering: .relaxed)
            } else {
                require(count >= 0, "an object released more often than retained")
            }
            let desired = SharedWord.with(
                count: isOver ? SharedWord.saturatedCount : count, state: SharedWord.merged)
            // releasing [merged] [last release], acquiring [last release]
            let (done, found) = unsafe header.pointee.shared.compareExchange(
                expected: word, desired: desired, ordering: .acquiringAndReleasing)
            if done { return desired == SharedWord.dead }
            word = found
        }
    }

    /// Makes the object one that no count frees.
    public static func makeImmortal(_ object: ObjectPointer) {
        let header = unsafe object.header
        unsafe header.pointee.owner.store(OwnerWord.immortal, ordering: .relaxed)
        // releasing [merged]: who sees the state sees the owner word.
        unsafe header.pointee.shared.store(
            SharedWord.with(count: SharedWord.saturatedCount, state: SharedWord.merged),
            ordering: .releasing)
    }
}
