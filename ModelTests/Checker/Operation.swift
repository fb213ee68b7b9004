// What a thread of a run is about to do, and which two operations may change places without anybody seeing it.

/// An operation before it runs, and what is known of it afterwards. Trivial: one is written for each step.
struct Operation {
    enum Kind: UInt8 {
        case load, store, update, compareExchange, fence
        case futexWait, futexWake, lock, tryLock, unlock
        case clock, sleep, start, join
        case online, offline, quiescentState, synchronize
        case idleSpin, timeOut, wakeWithoutCause
    }

    var kind: Kind
    var order: MemoryOrder = .relaxed
    var failureOrder: MemoryOrder = .relaxed
    var update: UpdateOperation = .exchange
    var byteCount: UInt8 = 0
    /// A comparison failed, a wait did not sleep, a lock was not free.
    var failed = false
    /// A load that did not return the newest store, or a store that is not the newest.
    var isStale = false
    /// The mutant under test changed it.
    var isMutated = false
    /// Of a thread for `start` and `join`.
    var address: UInt
    /// The operand, or the value that was expected.
    var operand: UInt64 = 0
    /// What was read or returned.
    var result: UInt64 = 0
    var site: Site

    init(_ kind: Kind, _ address: UInt, _ site: Site) {
        self.kind = kind
        self.address = address
        self.site = site
    }
}

extension Operation {
    private enum Family { case memory, fence, futex, lock, time, start, join, gracePeriod, everything }

    private var family: Family {
        switch kind {
        case .load, .store, .update, .compareExchange: .memory
        case .fence: .fence
        case .futexWait, .futexWake, .wakeWithoutCause: .futex
        case .lock, .tryLock, .unlock: .lock
        case .clock, .sleep: .time
        case .start: .start
        case .join: .join
        case .online, .offline, .quiescentState, .synchronize: .gracePeriod
        case .timeOut, .idleSpin: .everything
        }
    }

    /// Whether this and another thread's operation reach the same state in either order. When in doubt, no.
    func isIndependent(of other: Operation) -> Bool {
        switch (family, other.family) {
        case (.everything, _), (_, .everything): false
        case (.memory, .memory): address != other.address || (kind == .load && other.kind == .load)
        // A wait compares the newest value of its word.
        case (.memory, .futex): kind == .load || other.kind != .futexWait || address != other.address
        case (.futex, .memory): other.isIndependent(of: self)
        case (.fence, .fence), (.fence, .memory), (.memory, .fence):
            order != .sequentiallyConsistent || other.order != .sequentiallyConsistent
        case (.futex, .futex), (.lock, .lock): address != other.address
        case (.time, .time), (.start, .start): false
        // Readers that come and go do not see each other; who waits for them sees when the last has gone.
        case (.gracePeriod, .gracePeriod): kind != .synchronize && other.kind != .synchronize
        // A wait with a deadline falls asleep by the clock.
        default: true
        }
    }
}
