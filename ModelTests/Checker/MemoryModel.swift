// The memory of a model: RC11 (Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing Sequential Consistency in C/C++11,
// PLDI 2017), with the release sequences of C++20, run operation by operation.
//
// The execution graph of the run grows by one event at each operation: always at the end of a thread, and a load
// always reads a store that is already there. So program order and reads-from together have no cycle, as RC11
// demands; the relaxed outcome of load buffering, which RC11 forbids and C++ allows, is never shown.
//
// What an operation may do is a choice (`Choose`), and every choice that the axioms allow is offered, no other:
//
//   coherence    For each location the stores stand in modification order. A thread knows a store when an access of
//                it happens before the thread's next event. A load may return the last store that its thread knows
//                or any later one; a store may take any place after it. Nothing happens after the newest event of
//                all, so that is all that coherence says (MemoryModel+Atomics.swift).
//   atomicity    A read-modify-write stands next to the store that it read, and nothing comes between them.
//   psc          The partial order of the sequentially consistent accesses and fences has no cycle
//                (MemoryModel+SequentialConsistency.swift). The newest choice never makes one.
//   no races     Plain accesses are checked against all others by the same clocks (MemoryModel+PlainAccess.swift).
//
// Happens-before is kept as vector clocks. A store carries the clock that its release sequence hands over; a thread
// has its clock, what an acquire fence would add to it, and what its last release fence said.
//
// Real memory always holds the store that is last in modification order, so that code outside of a run can read it.
// A location begins its history when it is first seen, with what memory then held as a store that everybody knows.
// A plain write over it ends its history; so does a change that was not reported to the model.

public final class MemoryModel {
    struct ThreadState {
        /// What happens before the thread's next event; its own lane counts its events.
        var clock: Clock = .zero
        /// What an acquire fence would add: from the relaxed loads since the beginning.
        var acquirable: Clock = .zero
        /// The clock at the last release fence: what relaxed stores hand over.
        var released: Clock = .zero
        var lastEvent: Int32 = -1
        var lastConsistent: Int32 = -1
        var lastConsistentFence: Int32 = -1
        /// How many spin hints; see `spinHint`.
        var spinRound: Int32 = 0
    }

    /// One operation of the run, kept for psc and for the words of a fault.
    struct Event {
        /// What happens before it, itself included.
        var clock: Clock
        var time: Int32
        /// -1 when it is of no location: a fence, a thread's start, all plain accesses between two other events.
        var location: Int32
        /// The store that it made, or else the one that it read.
        var store: Int32
        /// The access of the same location by the same thread before this one.
        var previousHere: Int32
        var previousInThread: Int32
        var nextInThread: Int32
        /// Its number among the sequentially consistent events, or -1.
        var consistent: Int32
        var thread: UInt8
        var kind: EventKind
    }

    enum EventKind: UInt8 { case load, store, update, fence, plain, synchronization }

    struct Store {
        /// The clock that a load which acquires from it gets.
        var message: Clock
        /// For each thread, when it first read or made this store.
        var firstKnown: Clock
        var value: UInt64
        var previous: Int32
        var next: Int32
        /// Its number in modification order.
        var position: Int32
        /// -1 for the store that a history begins with.
        var event: Int32
        var time: Int32
        var thread: UInt8
        var isUpdate: Bool
        var isConsistent: Bool
    }

    struct Location {
        var lastAccess: SIMD8<Int32>
        var spinRound: SIMD8<Int32>
        var address: UInt
        var newest: Int32
        var byteCount: Int32
    }

    @exclusivity(unchecked) var threads: UnsafeMutablePointer<ThreadState>
    @exclusivity(unchecked) public private(set) var threadCount = 0
    @exclusivity(unchecked) var events = GrowingBuffer<Event>(capacity: 1024)
    @exclusivity(unchecked) var sites = GrowingBuffer<Site>(capacity: 1024)
    @exclusivity(unchecked) var stores = GrowingBuffer<Store>(capacity: 256)
    @exclusivity(unchecked) var locations = GrowingBuffer<Location>(capacity: 64)
    @exclusivity(unchecked) var granules = GranuleTable()
    @exclusivity(unchecked) var consistency = ConsistencyOrder()
    /// The alternatives of the operation under way.
    @exclusivity(unchecked) var candidates = GrowingBuffer<Int32>(capacity: 64)

    /// The first thing that was wrong in this run. The run is to be ended then: what operations return is of no
    /// meaning.
    @exclusivity(unchecked) public private(set) var fault: ModelFault?
    @exclusivity(unchecked) public private(set) var hasFault = false
    /// Changes of an atomic's memory that were not reported, each of which began a new history.
    @exclusivity(unchecked) public internal(set) var unreportedChangeCount = 0

    public init() {
        threads = .allocate(capacity: maximumThreadCount)
        reset(threadCount: 1)
    }

    deinit {
        threads.deallocate()
        events.deallocate()
        sites.deallocate()
        stores.deallocate()
        locations.deallocate()
        candidates.deallocate()
        granules.deallocate()
        consistency.deallocate()
    }

    /// Begins a new run; thread 0 has begun, every other thread is to be started. Allocates nothing once runs as
    /// long as this one have been made.
    public func reset(threadCount: Int) {
        precondition((1...maximumThreadCount).contains(threadCount), "a model has 1 to \(maximumThreadCount) threads")
        self.threadCount = threadCount
        threads.update(repeating: ThreadState(), count: threadCount)
        events.removeAll()
        sites.removeAll()
        stores.removeAll()
        locations.removeAll()
        granules.removeAll()
        consistency.removeAll()
        hasFault = false
        if fault != nil { fault = nil }
        unreportedChangeCount = 0
    }

    func report(_ found: ModelFault) {
        if !hasFault { fault = found }
        hasFault = true
    }

    // MARK: Edges that the scheduler knows of

    /// What the parent has done happens before all that the child does. Once a child and run.
    public func start(child: Int, by parent: Int) {
        acquire(release(by: parent), by: child)
    }

    /// What the child has done happens before what the thread does next.
    public func join(child: Int, by thread: Int) {
        acquire(release(by: child), by: thread)
    }

    /// Adds a thread while the run goes on, and returns its number. It is yet to be started.
    public func addThread() -> Int {
        precondition(threadCount < maximumThreadCount, "a model has at most \(maximumThreadCount) threads")
        (threads + threadCount).pointee = ThreadState()
        threadCount += 1
        return threadCount - 1
    }

    /// What the thread has done, to be handed to others by a lock or a grace period that is specified, not run.
    public func release(by thread: Int) -> ClockSnapshot {
        synchronize(thread)
        var snapshot = ClockSnapshot()
        snapshot.clock = threads[thread].clock
        return snapshot
    }

    public func acquire(_ snapshot: ClockSnapshot, by thread: Int) {
        threads[thread].clock.join(snapshot.clock)
        synchronize(thread)
    }

    private func synchronize(_ thread: Int) {
        let time = advance(thread)
        _ = append(.synchronization, by: thread, time: time, location: -1, store: -1, site: nil)
    }

    // MARK: Events

    /// The thread's time at its new event.
    @inline(__always) func advance(_ thread: Int) -> Int32 {
        let clock = lanes(&threads[thread].clock)
        let time = clock[thread] + 1
        clock[thread] = time
        return time
    }

    /// Adds an event; the thread's clock is what it is after it.
    @inline(__always) func append(
        _ kind: EventKind, by thread: Int, time: Int32, location: Int32, store: Int32, site: Site?
    ) -> Int32 {
        let state = threads + thread
        let last = state.pointee.lastEvent
        var previousHere: Int32 = -1
        if location >= 0 {
            let here = lanes(&locations[location].pointee.lastAccess)
            previousHere = here[thread]
            here[thread] = events.count
        }
        let event = events.append(
            Event(
                clock: state.pointee.clock, time: time, location: location, store: store, previousHere: previousHere,
                previousInThread: last, nextInThread: -1, consistent: -1, thread: UInt8(truncatingIfNeeded: thread),
                kind: kind))
        _ = sites.append(site ?? .unknown)
        if last >= 0 { events[last].pointee.nextInThread = event }
        state.pointee.lastEvent = event
        return event
    }

    /// The lanes of a clock, to be read and changed one by one.
    @inline(__always) func lanes(_ clock: UnsafeMutablePointer<SIMD8<Int32>>) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(clock).assumingMemoryBound(to: Int32.self)
    }

    // MARK: Spinning

    /// The thread has said that it spins. Its next load of each location that it has read since its last hint (or
    /// since its beginning) returns the newest store: else spinning on an old store would never end. Nothing else
    /// changes.
    public func spinHint(by thread: Int) {
        threads[thread].spinRound += 1
    }
}
