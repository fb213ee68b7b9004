// What counting does off the owner's path. States, invariants and edges: Counting.swift.

internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointThreads

extension Counting {
    // MARK: Other threads

    @usableFromInline @inline(never)
    static func retainForeign(_ object: ObjectPointer, owner: UInt64) {
        if OwnerWord.identifier(owner) == OwnerWord.immortalIdentifier { return }
        // relaxed: a count that is added orders nothing; the one that is given up does [last release].
        let before = unsafe object.header.pointee.shared.wrappingAdd(
            SharedWord.one, ordering: .relaxed
        ).oldValue
        assert(before != SharedWord.dead, "R6: a retain of the dead")
        if SharedWord.count(before) + 1 >= SharedWord.limit { unsafe saturate(object) }
    }

    /// Brings a saturated count back to the middle of its range (R7).
    private static func saturate(_ object: ObjectPointer) {
        var word = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        while SharedWord.isSaturated(word) {
            let desired = SharedWord.with(
                count: SharedWord.saturatedCount, state: SharedWord.state(word))
            // releasing: a merge that is under way keeps its edge [merged] through us.
            let (done, found) = unsafe object.header.pointee.shared.compareExchange(
                expected: word, desired: desired, ordering: .acquiringAndReleasing)
            if done { return }
            word = found
        }
    }

    @usableFromInline @inline(never)
    static func tryRetainForeign(_ object: ObjectPointer, owner: UInt64) -> Bool {
        if OwnerWord.identifier(owner) == OwnerWord.immortalIdentifier { return true }
        var word = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        // `initial` without a count may be alive, but not for us (R5); with one, somebody shares it.
        while word != SharedWord.initial, word != SharedWord.dead {
            if SharedWord.isSaturated(word) { return true }
            // acquiring [try-retain]
            let (done, found) = unsafe object.header.pointee.shared.compareExchange(
                expected: word, desired: word &+ SharedWord.one, successOrdering: .acquiring,
                failureOrdering: .relaxed)
            if done {
                if SharedWord.count(word) + 1 >= SharedWord.limit { unsafe saturate(object) }
                return true
            }
            word = found
        }
        return false
    }

    @usableFromInline @inline(never)
    static func enableTryRetainSlow(_ object: ObjectPointer) {
        var word = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        while SharedWord.state(word) == SharedWord.initial {
            // releasing [try-retain]
            let (done, found) = unsafe object.header.pointee.shared.compareExchange(
                expected: word, desired: word | SharedWord.retainable, successOrdering: .releasing,
                failureOrdering: .relaxed)
            if done { return }
            word = found
        }
    }

    /// Release, when it is not the owner's with local counts left.
    @usableFromInline @inline(never)
    static func releaseSlow(
        _ object: ObjectPointer, owner: UInt64, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        if unsafe OwnerWord.identifier(owner) == thread.own.pointee.ownerIdentifier {
            unsafe releaseLastLocal(object, by: thread)
        } else if OwnerWord.identifier(owner) != OwnerWord.immortalIdentifier {
            unsafe releaseForeign(object, by: thread)
        }
    }

    private static func releaseForeign(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        var word = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        while true {
            if SharedWord.isSaturated(word) { return }
            if SharedWord.state(word) == SharedWord.merged {
                require(SharedWord.count(word) > 0, "an object released more often than retained")
            }
            // No shared count to take ours from: the owner has it among its own, and gets the object queued (R4).
            let isQueueing = word == SharedWord.initial || word == SharedWord.retainable
            let desired = isQueueing ? SharedWord.queued : word &- SharedWord.one
            // [last release]
            let (done, found) = unsafe object.header.pointee.shared.compareExchange(
                expected: word, desired: desired, ordering: .acquiringAndReleasing)
            if done {
                if isQueueing {
                    unsafe queue(object, by: thread)
                } else if desired == SharedWord.dead {
                    unsafe Destruction.destroy(object, by: thread)
                } else if SharedWord.count(desired) <= -SharedWord.limit {
                    unsafe saturate(object)
                }
                return
            }
            word = found
        }
    }

    // MARK: The owner's last count

    private static func releaseLastLocal(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let header = unsafe object.header
        assert(
            unsafe OwnerWord.localCount(header.pointee.owner.load(ordering: .relaxed)) == 1,
            "R2: an owned object without a local count")
        // acquiring [last release]: a count that others took and gave back.
        var word = unsafe header.pointee.shared.load(ordering: .acquiring)
        if word == SharedWord.initial {
            // Nobody else has a count, nor can get one (R5): no read-modify-write.
            unsafe Destruction.destroy(object, by: thread)
            return
        }
        // As in `merge`, with a local count of zero.
        unsafe header.pointee.owner.store(OwnerWord.nobody, ordering: .relaxed)
        while true {
            if SharedWord.isSaturated(word) {  // R7
                unsafe header.pointee.owner.store(OwnerWord.immortal, ordering: .relaxed)
            }
            let desired = word | SharedWord.merged
            // releasing [merged] [last release], acquiring [last release]
            let (done, found) = unsafe header.pointee.shared.compareExchange(
                expected: word, desired: desired, ordering: .acquiringAndReleasing)
            if done {
                if desired == SharedWord.dead { unsafe Destruction.destroy(object, by: thread) }
                return
            }
            word = found
        }
    }

    // MARK: Queueing

    /// Hands the object, whose state we made `queued`, and with it one count, to the owner. Without an owner in this
    /// interpreter it is merged here.
    private static func queue(
        _ object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let owner = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        if OwnerWord.identifier(owner) == 0 {
            // Merged since, or about to be: the count that the queue was to hold is given up like any other.
            unsafe releaseForeign(object, by: thread)
            return
        }
        if OwnerWord.identifier(owner) == OwnerWord.immortalIdentifier { return }
        switch unsafe thread.owners.deliver(object, to: OwnerWord.identifier(owner), by: thread) {
        case .delivered:
            unsafe thread.own.pointee.queuedCount += 1
        case .mergedDead:
            unsafe Destruction.destroy(object, by: thread)
        case .merged:
            break
        case .outOfMemory:
            // The object keeps a count that nobody holds: its next collection frees it.
            unsafe thread.own.pointee.lostCount += 1
            unsafe thread.record.setDue(ThreadWord.collectionDue)
        }
    }
}
