// RC11's condition on sequentially consistent accesses and fences: psc has no cycle. With E an SC access, F an SC
// fence, l a location:
//
//   scb      = sb  u  sb|/=l ; hb ; sb|/=l  u  hb|l  u  mo  u  rb
//   psc_base = ([E] u [F] ; hb?) ; scb ; ([E] u hb? ; [F])
//   psc_F    = [F] ; (hb  u  hb ; eco ; hb) ; [F]
//   psc      = psc_base u psc_F
//
// sb is program order, rb from a load to the stores after the one that it read, eco from any access of a location
// to any later one (mo, rf, rb and what they make together). A read-modify-write counts as one event here: the
// edges out of its load lead to its store, or to where its store's edges lead, too.
//
// Nothing happens after the newest event, so an operation that takes the newest choice has edges coming in only,
// and cannot close a cycle. Its row in `consistency` is made later, if at all. Another choice has edges out, to the
// stores after the place that it takes and to the fences that know of those: it is allowed when none of these comes
// before it, or before a fence that happens before it. Edges into an event come from prefixes of the other threads'
// events, so for each thread the last source is enough, and the first target.

extension MemoryModel {
    func noteConsistent(_ event: Int32, by thread: Int, isFence: Bool) {
        let state = threads + thread
        let number = consistency.events.append(event)
        _ = consistency.previous.append(state.pointee.lastConsistent)
        _ = consistency.previousFence.append(state.pointee.lastConsistentFence)
        state.pointee.lastConsistent = number
        if isFence { state.pointee.lastConsistentFence = number }
        events[event].pointee.consistent = number
    }

    /// Whether the thread's next event may read `read` (or -1), and write next after `predecessor` (or -1).
    func isConsistent(
        read: Int32, predecessor: Int32, _ location: Int32, by thread: Int, _ order: MemoryOrder
    ) -> Bool {
        guard consistency.count > 0 else { return true }
        let anchor = predecessor >= 0 ? predecessor : read
        consistency.reserve()
        let direct = consistency.scratch(0)
        let known = consistency.scratch(1)
        guard findTargets(after: anchor, direct: direct, known: known) else { return true }
        makeRows()

        var clock = threads[thread].clock
        lanes(&clock)[thread] += 1
        if read >= 0, order.isAcquiring { clock.join(stores[read].pointee.message) }
        let fences = consistency.scratch(2)
        insertFences(within: clock, into: fences)
        if consistency.intersects(fences, direct) || consistency.intersects(fences, known) { return false }
        guard order.isSequentiallyConsistent else { return true }
        let before = consistency.scratch(3)
        let state = threads[thread]
        insertSources(
            ofAccess: Access(
                thread: thread, location: location, predecessor: predecessor, clock: clock,
                previousEvent: state.lastEvent, previousConsistent: state.lastConsistent), into: before)
        return !consistency.intersects(before, direct)
    }

    /// Adds the edges out of an access that did not take the newest choice.
    func noteOutwardEdges(of event: Int32) {
        guard consistency.count > 0 else { return }
        consistency.reserve()
        let targets = consistency.scratch(0)
        let known = consistency.scratch(1)
        guard findTargets(after: events[event].pointee.store, direct: targets, known: known) else { return }
        makeRows()
        let fences = consistency.scratch(2)
        insertFences(within: events[event].pointee.clock, into: fences)
        let number = events[event].pointee.consistent
        for other in 0..<consistency.orderedCount {
            let row = consistency.row(other)
            let isDirect = consistency.contains(other, in: targets) || consistency.intersects(row, targets)
            let isKnown = consistency.contains(other, in: known) || consistency.intersects(row, known)
            if isDirect || isKnown { consistency.formUnion(row, fences) }
            if isDirect, number >= 0 { consistency.insertClosure(number, into: row) }
            assert(!consistency.contains(other, in: row), "psc has a cycle")
        }
    }

    // MARK: Where edges out lead

    /// Fills the sets with the targets of an access that stands before the stores after `anchor`: `direct`, of the
    /// edges of psc_base; `known`, of those of psc_F. False when there are none.
    private func findTargets(after anchor: Int32, direct: ConsistencyOrder.Row, known: ConsistencyOrder.Row) -> Bool {
        var found = false
        var index = stores[anchor].pointee.next
        while index >= 0 {
            let store = stores[index].pointee
            if store.isConsistent {
                consistency.insert(events[store.event].pointee.consistent, into: direct)
                found = true
            }
            for thread in 0..<threadCount where threads[thread].lastConsistentFence >= 0 {
                let writer = Int(store.thread)
                let first = firstFence(of: thread) { $0[writer] >= store.time }
                if first >= 0 { consistency.insert(first, into: direct) }
                let second = firstFence(of: thread) { any(store.firstKnown .<= $0) }
                if second >= 0 { consistency.insert(second, into: known) }
                found = found || first >= 0 || second >= 0
            }
            index = store.next
        }
        return found
    }

    /// The thread's first fence whose clock satisfies the condition, as all later ones then do, or -1.
    @inline(__always) private func firstFence(of thread: Int, where condition: (Clock) -> Bool) -> Int32 {
        var found: Int32 = -1
        var number = threads[thread].lastConsistentFence
        while number >= 0, condition(event(number).pointee.clock) {
            found = number
            number = consistency.previousFence[number].pointee
        }
        return found
    }

    // MARK: Where edges in come from

    private func event(_ number: Int32) -> UnsafeMutablePointer<Event> {
        events[consistency.events[number].pointee]
    }

    /// An access that is made or could be made.
    private struct Access {
        var thread: Int
        var location: Int32
        /// The store after which it writes, or -1.
        var predecessor: Int32
        var clock: Clock
        var previousEvent: Int32
        var previousConsistent: Int32
    }

    /// Makes the rows that are missing, in the order in which the events were made.
    private func makeRows() {
        while consistency.orderedCount < consistency.count {
            let number = consistency.orderedCount
            let made = event(number).pointee
            let row = consistency.scratch(3)
            if made.kind == .fence {
                insertSources(ofFence: made, number, into: row)
            } else {
                let writes = made.kind != .load
                insertSources(
                    ofAccess: Access(
                        thread: Int(made.thread), location: made.location,
                        predecessor: writes ? stores[made.store].pointee.previous : -1, clock: made.clock,
                        previousEvent: made.previousInThread,
                        previousConsistent: consistency.previous[number].pointee), into: row)
            }
            consistency.appendRow(row)
        }
    }

    /// Adds a source with all that comes before it. One without a row is a source by an edge that is yet to be
    /// added.
    @inline(__always) private func insert(_ number: Int32, into set: ConsistencyOrder.Row) {
        if number < consistency.orderedCount { consistency.insertClosure(number, into: set) }
    }

    /// For each thread its last fence that happens before what has this clock.
    private func insertFences(within clock: Clock, into set: ConsistencyOrder.Row) {
        for thread in 0..<threadCount {
            var number = threads[thread].lastConsistentFence
            while number >= 0, event(number).pointee.time > clock[thread] {
                number = consistency.previousFence[number].pointee
            }
            if number >= 0 { insert(number, into: set) }
        }
    }

    private func insertSources(ofAccess access: Access, into set: ConsistencyOrder.Row) {
        // sb.
        if access.previousConsistent >= 0 { insert(access.previousConsistent, into: set) }
        if access.previousEvent >= 0 {
            // [F] ; hb? ; sb.
            insertFences(within: events[access.previousEvent].pointee.clock, into: set)
            insertSourcesByOtherLocations(access, into: set)
        }
        // hb|l, mo and rb.
        let bound = access.predecessor >= 0 ? stores[access.predecessor].pointee.position : -1
        for thread in 0..<threadCount where thread != access.thread {
            insertSources(at: access.location, of: thread, until: access.clock[thread], into: set) { event in
                stores[event.store].pointee.position <= bound
            }
        }
    }

    /// sb|/=l ; hb ; sb|/=l.
    private func insertSourcesByOtherLocations(_ access: Access, into set: ConsistencyOrder.Row) {
        var last = access.previousEvent
        while last >= 0, events[last].pointee.location == access.location {
            last = events[last].pointee.previousInThread
        }
        guard last >= 0 else { return }
        let clock = events[last].pointee.clock
        for thread in 0..<threadCount where thread != access.thread {
            var number = threads[thread].lastConsistent
            while number >= 0 {
                let source = consistency.events[number].pointee
                if events[source].pointee.kind != .fence, leavesLocation(source, before: clock[thread]) {
                    insert(number, into: set)
                    break
                }
                number = consistency.previous[number].pointee
            }
        }
    }

    /// Whether its thread did something elsewhere after it, no later than `time`.
    private func leavesLocation(_ event: Int32, before time: Int32) -> Bool {
        let location = events[event].pointee.location
        var next = event
        repeat {
            guard events[next].pointee.time < time else { return false }
            next = events[next].pointee.nextInThread
        } while next >= 0 && events[next].pointee.location == location
        return next >= 0 && events[next].pointee.time <= time
    }

    /// The thread's accesses of the location up to `time`, and those for which the condition holds: the last of
    /// them that is SC, and the fences before the last.
    @inline(__always) private func insertSources(
        at location: Int32, of thread: Int, until time: Int32, into set: ConsistencyOrder.Row,
        where condition: (Event) -> Bool
    ) {
        var index = locations[location].pointee.lastAccess[thread]
        while index >= 0, events[index].pointee.time > time, !condition(events[index].pointee) {
            index = events[index].pointee.previousHere
        }
        guard index >= 0 else { return }
        insertFences(within: events[index].pointee.clock, into: set)
        insertLastConsistent(upTo: index, into: set)
    }

    /// Of this access and those of the same location before it in its thread, the last that is SC.
    private func insertLastConsistent(upTo event: Int32, into set: ConsistencyOrder.Row) {
        var index = event
        while index >= 0 {
            let number = events[index].pointee.consistent
            if number >= 0 {
                insert(number, into: set)
                return
            }
            index = events[index].pointee.previousHere
        }
    }

    /// Without the edges of psc_base from an SC access of another thread that happens before the fence: in a cycle what
    /// comes before that access has an edge to the fence itself.
    private func insertSources(ofFence fence: Event, _ number: Int32, into set: ConsistencyOrder.Row) {
        let previous = consistency.previous[number].pointee
        if previous >= 0 { insert(previous, into: set) }
        // [F] ; hb ; [F].
        insertFences(within: fence.clock, into: set)
        for location in 0..<locations.count {
            insertSources(at: location, before: fence.clock, into: set)
        }
    }

    /// What stands before an access of this location that happens before a fence: SC accesses by mo or rb
    /// (psc_base), fences by way of any access by eco (psc_F).
    private func insertSources(at location: Int32, before clock: Clock, into set: ConsistencyOrder.Row) {
        var last = locations[location].pointee.newest
        while !isKnown(stores[last], at: clock) { last = stores[last].pointee.previous }
        let known = stores[last].pointee.position
        var made = last
        while stores[made].pointee.event >= 0, stores[made].pointee.time > clock[Int(stores[made].pointee.thread)] {
            made = stores[made].pointee.previous
        }
        let written = stores[made].pointee.position
        for thread in 0..<threadCount {
            var index = locations[location].pointee.lastAccess[thread]
            while index >= 0, !isBefore(events[index].pointee, known, last) {
                index = events[index].pointee.previousHere
            }
            guard index >= 0 else { continue }
            insertFences(within: events[index].pointee.clock, into: set)
            while index >= 0, stores[events[index].pointee.store].pointee.position >= written {
                index = events[index].pointee.previousHere
            }
            insertLastConsistent(upTo: index, into: set)
        }
    }

    /// Whether eco leads from the event to an access of `store`, which has this position, by another thread.
    @inline(__always) private func isBefore(_ event: Event, _ position: Int32, _ store: Int32) -> Bool {
        stores[event.store].pointee.position < position || (event.store == store && event.kind != .load)
    }
}
