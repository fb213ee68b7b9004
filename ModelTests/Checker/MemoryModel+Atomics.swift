// The atomic operations: which stores a load may read, which places a store may take, and what follows from the
// choice.

extension MemoryModel {
    /// What an update did.
    public struct Update {
        public var old: UInt64
        /// What was stored; nil when the comparison failed.
        public var stored: UInt64?
        /// What real memory must hold now.
        public var memory: UInt64
    }

    /// The value that the load returns. `current` is what real memory holds.
    public func load(
        by thread: Int, at address: UInt, byteCount: Int, order: MemoryOrder, current: UInt64, site: Site,
        choose: Choose
    ) -> UInt64 {
        let location = locate(address, byteCount, current, by: thread, .atomicLoad, site)
        guard location >= 0 else { return current }
        let store = chooseRead(of: location, by: thread, order, choose)
        commitRead(of: location, store, by: thread, order, site)
        return stores[store].pointee.value
    }

    /// What real memory must hold now: `value`, or a store that is later in modification order.
    public func store(
        by thread: Int, at address: UInt, byteCount: Int, value: UInt64, order: MemoryOrder, current: UInt64,
        site: Site, choose: Choose
    ) -> UInt64 {
        let location = locate(address, byteCount, current, by: thread, .atomicStore, site)
        guard location >= 0 else { return value }
        let predecessor = choosePlace(in: location, by: thread, order, choose)
        commitWrite(
            .store, to: location, value, after: predecessor, by: thread, order, inherited: .zero, site)
        return stores[locations[location].pointee.newest].pointee.value
    }

    /// Reads a store and puts what `transform` makes of it next to it; when `transform` returns nil (a failed
    /// comparison) it is a load with the failure ordering. `transform` may be called several times, and must always
    /// answer the same.
    public func readModifyWrite(
        by thread: Int, at address: UInt, byteCount: Int, order: MemoryOrder, failureOrder: MemoryOrder,
        current: UInt64, site: Site, choose: Choose, transform: (UInt64) -> UInt64?
    ) -> Update {
        let location = locate(address, byteCount, current, by: thread, .atomicLoad, site)
        guard location >= 0 else { return Update(old: current, stored: nil, memory: current) }
        let store = chooseUpdate(of: location, by: thread, order, failureOrder, choose, transform)
        let old = stores[store].pointee.value
        let stored = transform(old)
        if let stored {
            checkUpdate(of: location, by: thread, site)
            let message = stores[store].pointee.message
            noteRead(of: location, store, by: thread)
            acquire(message, by: thread, order)
            commitWrite(.update, to: location, stored, after: store, by: thread, order, inherited: message, site)
        } else {
            commitRead(of: location, store, by: thread, failureOrder, site)
        }
        let newest = locations[location].pointee.newest
        return Update(old: old, stored: stored, memory: stores[newest].pointee.value)
    }

    public func fence(by thread: Int, order: MemoryOrder, site: Site = .unknown) {
        guard order != .relaxed else { return }
        let time = advance(thread)
        let state = threads + thread
        if order.isAcquiring { state.pointee.clock.join(state.pointee.acquirable) }
        if order.isReleasing { state.pointee.released = state.pointee.clock }
        let event = append(.fence, by: thread, time: time, location: -1, store: -1, site: site)
        if order.isSequentiallyConsistent { noteConsistent(event, by: thread, isFence: true) }
    }

    // MARK: Choices

    /// Whether an access of the store happens before the thread's next event.
    @inline(__always) func isKnown(_ store: UnsafeMutablePointer<Store>, at clock: Clock) -> Bool {
        any(store.pointee.firstKnown .<= clock)
    }

    @inline(__always) private func chooseRead(
        of location: Int32, by thread: Int, _ order: MemoryOrder, _ choose: Choose
    ) -> Int32 {
        let newest = locations[location].pointee.newest
        if isKnown(stores[newest], at: threads[thread].clock) { return newest }
        if mustTakeNewest(location, by: thread) { return newest }
        return chooseReadSlow(of: location, by: thread, order, choose)
    }

    @inline(never) private func chooseReadSlow(
        of location: Int32, by thread: Int, _ order: MemoryOrder, _ choose: Choose
    ) -> Int32 {
        let clock = threads[thread].clock
        candidates.removeAll()
        var store = locations[location].pointee.newest
        _ = candidates.append(store)
        while !isKnown(stores[store], at: clock) {
            store = stores[store].pointee.previous
            if isConsistent(read: store, predecessor: -1, location, by: thread, order) {
                _ = candidates.append(store)
            }
        }
        return chosen(choose)
    }

    /// The store after which a new one is to stand.
    @inline(__always) private func choosePlace(
        in location: Int32, by thread: Int, _ order: MemoryOrder, _ choose: Choose
    ) -> Int32 {
        let newest = locations[location].pointee.newest
        if isKnown(stores[newest], at: threads[thread].clock) { return newest }
        return choosePlaceSlow(in: location, by: thread, order, choose)
    }

    @inline(never) private func choosePlaceSlow(
        in location: Int32, by thread: Int, _ order: MemoryOrder, _ choose: Choose
    ) -> Int32 {
        let clock = threads[thread].clock
        candidates.removeAll()
        var store = locations[location].pointee.newest
        _ = candidates.append(store)
        while !isKnown(stores[store], at: clock) {
            let isUpdate = stores[store].pointee.isUpdate
            store = stores[store].pointee.previous
            if !isUpdate, isConsistent(read: -1, predecessor: store, location, by: thread, order) {
                _ = candidates.append(store)
            }
        }
        return chosen(choose)
    }

    /// The store that an update reads.
    private func chooseUpdate(
        of location: Int32, by thread: Int, _ order: MemoryOrder, _ failureOrder: MemoryOrder, _ choose: Choose,
        _ transform: (UInt64) -> UInt64?
    ) -> Int32 {
        let clock = threads[thread].clock
        var store = locations[location].pointee.newest
        if isKnown(stores[store], at: clock) || mustTakeNewest(location, by: thread) { return store }
        candidates.removeAll()
        _ = candidates.append(store)
        while !isKnown(stores[store], at: clock) {
            let isTaken = stores[store].pointee.isUpdate
            store = stores[store].pointee.previous
            if transform(stores[store].pointee.value) == nil {
                if isConsistent(read: store, predecessor: -1, location, by: thread, failureOrder) {
                    _ = candidates.append(store)
                }
            } else if !isTaken, isConsistent(read: store, predecessor: store, location, by: thread, order) {
                _ = candidates.append(store)
            }
        }
        return chosen(choose)
    }

    private func chosen(_ choose: Choose) -> Int32 {
        let count = Int(candidates.count)
        guard count > 1 else { return candidates[0].pointee }
        let choice = choose(count)
        precondition((0..<count).contains(choice), "\(choice) is none of the \(count) alternatives")
        return candidates[Int32(choice)].pointee
    }

    /// Whether the thread has read this location in the round of its spinning that ended with its last hint.
    @inline(__always) private func mustTakeNewest(_ location: Int32, by thread: Int) -> Bool {
        let round = threads[thread].spinRound
        return round > 0 && locations[location].pointee.spinRound[thread] == round - 1
    }

    // MARK: What follows

    @inline(__always) private func acquire(_ message: Clock, by thread: Int, _ order: MemoryOrder) {
        if order.isAcquiring {
            threads[thread].clock.join(message)
        } else {
            threads[thread].acquirable.join(message)
        }
    }

    @inline(__always) private func noteRead(of location: Int32, _ store: Int32, by thread: Int) {
        lanes(&locations[location].pointee.spinRound)[thread] = threads[thread].spinRound
        let known = lanes(&stores[store].pointee.firstKnown)
        if known[thread] == .max { known[thread] = lanes(&threads[thread].clock)[thread] + 1 }
    }

    @inline(__always) private func commitRead(
        of location: Int32, _ store: Int32, by thread: Int, _ order: MemoryOrder, _ site: Site
    ) {
        noteRead(of: location, store, by: thread)
        acquire(stores[store].pointee.message, by: thread, order)
        let time = advance(thread)
        let event = append(.load, by: thread, time: time, location: location, store: store, site: site)
        if order.isSequentiallyConsistent { noteConsistent(event, by: thread, isFence: false) }
        if store != locations[location].pointee.newest { noteOutwardEdges(of: event) }
    }

    @inline(__always) private func commitWrite(
        _ kind: EventKind, to location: Int32, _ value: UInt64, after predecessor: Int32, by thread: Int,
        _ order: MemoryOrder, inherited: Clock, _ site: Site
    ) {
        let time = advance(thread)
        var message = order.isReleasing ? threads[thread].clock : threads[thread].released
        message.join(inherited)
        var known = Clock.never
        lanes(&known)[thread] = time
        let next = stores[predecessor].pointee.next
        let store = stores.append(
            Store(
                message: message, firstKnown: known, value: value, previous: predecessor, next: next,
                position: stores[predecessor].pointee.position + 1, event: events.count, time: time,
                thread: UInt8(truncatingIfNeeded: thread), isUpdate: kind == .update,
                isConsistent: order.isSequentiallyConsistent))
        stores[predecessor].pointee.next = store
        if next < 0 {
            locations[location].pointee.newest = store
        } else {
            stores[next].pointee.previous = store
            renumber(from: next)
        }
        let event = append(kind, by: thread, time: time, location: location, store: store, site: site)
        if order.isSequentiallyConsistent { noteConsistent(event, by: thread, isFence: false) }
        if next >= 0 { noteOutwardEdges(of: event) }
    }

    private func renumber(from first: Int32) {
        var store = first
        while store >= 0 {
            stores[store].pointee.position += 1
            store = stores[store].pointee.next
        }
    }
}
