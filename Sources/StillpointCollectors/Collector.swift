// A mark-sweep collection of one interpreter: what no root reaches is freed, cycles included.
//
// Counting frees what nobody refers to. It cannot free cycles. The collector finds them by the other way round: it
// marks what the roots reach, in a pause, and what it finds unmarked in the heap is trash. Roots are exact: the
// handles (`HandleTable`), and objects that are immortal. Counts take no part in the decision, so a count that is
// wrong never frees an object that can be reached; the oracle compares the two (ReachabilityOracle.swift).
//
// The phases, and where the world is:
//   turn     runs      one collection of an interpreter at a time
//   stop     -> stopped
//   drain    stopped   counts queued for their owners are merged; deferred frees are done: a stop is a grace period
//   mark     stopped   from the roots, by an explicit stack (Marking.swift)
//   sweep    stopped   page by page: a trash object drops its references to objects that are kept; it is freed, or,
//                      if its payload has a destroy function, doomed: cleared, and put on a list
//   file     stopped   pages are filed anew, empty ones given back
//   go       -> runs
//   destroy  runs      the destroy functions of the doomed run, on the collecting thread, and their blocks are freed
//   file     stopped   if there were doomed objects: a second, short pause files the pages that they leave empty
//   purge    runs      free memory goes to the operating system
//
// From CPython's free-threaded collector (Python/gc_free_threading.c) this takes: the pause of one interpreter, the
// merging of queues first, the walk over the heap's pages instead of a list of objects, the list threaded through
// dead objects' headers, and that no user code runs in a pause. What that one does in its second pause,
// looking for what was resurrected, this has no need of yet: there are no finalizers that see their object, and no weak
// references. A second pause, for pages alone, follows only if payloads had something to destroy.
// It is thinner in other ways too: one marking thread, no prefetch, a walk for immortal objects, the whole heap
// every time.
//
// K1  Nothing is changed before the mark stack is had: a collection that fails has not begun.
// K2  An object is freed by a collection only if it was unmarked in a pause, and so never again found by a thread.
// K3  After the sweep, the count of a kept object = its handles + the slots of kept objects that refer to it.
// K4  Destroy functions run outside the pause. An object that is doomed has null slots, count zero and merged (so every
//     try-retain fails), the doomed bit, and its link in word 0. Visitors and later collections pass it by.
// K5  A pause takes: the roll, the interpreter heap's lock, an owner table's lock, the C allocator's. No thread that is
//     suspended holds one of them: all are released before a safepoint, and a detached thread goes on running.
// K6  The turn is waited for by detached threads only, and never in a pause.
// K7  A thread that asks while another collects waits, detached. If a pause began after it asked, that
//     collection's report answers it; else it collects. So what was dropped before `collect` is always covered.
//
// Lock order: turn, then that of StopTheWorld.
// [park], [resume]  of StopTheWorld: all that threads wrote before the pause -> the collector -> threads after it

public import StillpointObjects
internal import StillpointPlatform
internal import StillpointSynchronization
public import StillpointThreads

/// Collecting an interpreter.
public enum Collector {
    /// Makes safepoints collect when a collection is due. Part of making a runtime.
    public static func install(into hooks: inout ThreadHooks) {
        unsafe hooks.collect = { record, _ in
            unsafe Collector.collectIfDue(by: record.assumingMemoryBound(to: ThreadRecord.self))
        }
    }

    /// Collects the interpreter of `thread`, which is attached and has not stopped the world. The thread may be
    /// detached meanwhile; its references are in handles.
    /// - Throws: `.outOfMemory`, `.insideCollection`; nothing was changed then.
    public static func collect(
        _ state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(CollectionError) -> CollectionReport {
        var stack = try unsafe state.makeStack()  // K1
        return try unsafe collect(state, by: thread, &stack)
    }

    /// The same with memory that was had before, and so never `.outOfMemory`.
    public static func collect(
        _ state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>,
        with reserve: inout CollectionReserve
    ) throws(CollectionError) -> CollectionReport {
        try unsafe collect(state, by: thread, &reserve.stack)
    }

    private static func collect(
        _ state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>,
        _ stack: inout MarkStack
    ) throws(CollectionError) -> CollectionReport {
        let record = unsafe thread.record
        guard unsafe Attachment.current == record else { throw .thread(.notAttached) }
        guard unsafe record.pointee.roster == state.pointee.roster else {
            throw .thread(.wrongInterpreter)
        }
        if unsafe state.isCollecting(record) { throw .insideCollection }
        // Attached, so no pause is under way: what comes later is counted later (K7). relaxed [resume]
        let before = unsafe state.pointee.pauseCount.load(ordering: .relaxed)
        if unsafe !state.pointee.turn.tryLock() {
            unsafe Attachment.detach(record)
            unsafe state.pointee.turn.lock()
            do throws(ThreadStateError) {
                try unsafe Attachment.attach(record)
            } catch {
                unsafe state.pointee.turn.unlock()
                throw .thread(error)
            }
        }
        defer { unsafe state.pointee.turn.unlock() }
        if unsafe state.pointee.pauseCount.load(ordering: .relaxed) != before {
            return unsafe state.pointee.lastReport
        }
        return try unsafe state.run(by: thread, roots: .handles, &stack)
    }

    /// Frees every object of an interpreter, whatever refers to it: the last collection before its end. `thread` is
    /// its only thread. Handles that are left name nothing afterwards.
    public static func collectAll(
        _ state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(CollectionError) -> CollectionReport {
        var reserve = try unsafe CollectionReserve(for: state)
        return try unsafe collectAll(state, by: thread, with: &reserve)
    }

    /// The same with memory that was had before, and so never `.outOfMemory`.
    public static func collectAll(
        _ state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>,
        with reserve: inout CollectionReserve
    ) throws(CollectionError) -> CollectionReport {
        if unsafe state.isCollecting(thread.record) { throw .insideCollection }
        unsafe state.pointee.turn.lock()
        defer { unsafe state.pointee.turn.unlock() }
        return try unsafe state.run(by: thread, roots: .none, &reserve.stack)
    }

    // MARK: The trigger

    /// Collects at a safepoint, if a collection is due still; if somebody else collects, that will do.
    private static func collectIfDue(by record: UnsafeMutablePointer<ThreadRecord>) {
        guard let state = unsafe CollectorState.of(record) else { return }
        guard unsafe state.isDue, unsafe state.pointee.turn.tryLock() else { return }
        defer { unsafe state.pointee.turn.unlock() }
        guard unsafe state.isDue else { return }
        // Without memory to collect with, the threshold is moved on: the next safepoint must not try again at once.
        do throws(CollectionError) {
            let thread = unsafe UnsafeMutablePointer<ObjectThread>(record)
            var stack = try unsafe state.makeStack()
            _ = try unsafe state.run(by: thread, roots: .handles, &stack)
        } catch {
            unsafe state.heap.noteCollection()
        }
    }
}

/// What a collection marks from.
enum CollectionRoots {
    case handles, none
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Whether more was allocated since the last collection than makes one due.
    var isDue: Bool {
        // relaxed: an estimate, on which nothing hangs
        unsafe heap.allocatedBytesSinceLastCollection
            > pointee.objects.pointee.collectionThresholdByteCount.load(ordering: .relaxed)
    }

    /// Sets what makes the next collection due: the options' minimum, or as much as is kept.
    public func setThreshold(bytesKept: Int = 0) {
        let threshold = unsafe pointee.collectsAutomatically
            ? max(pointee.minimumByteCount, bytesKept) : Int.max
        unsafe pointee.objects.pointee.collectionThresholdByteCount.store(
            threshold, ordering: .relaxed)  // an estimate
    }

    /// Whether `thread` holds the turn.
    func isCollecting(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        // relaxed: only this thread ever stores its own address
        unsafe pointee.collectingThread.load(ordering: .relaxed) == UInt(bitPattern: thread)
    }

    func makeStack() throws(CollectionError) -> MarkStack {
        do throws(PlatformError) {
            return try MarkStack(limit: unsafe pointee.markStackLimit)
        } catch { throw .outOfMemory }
    }

    /// One collection. The turn is held by `thread`.
    func run(
        by thread: UnsafeMutablePointer<ObjectThread>, roots: CollectionRoots, _ stack: inout MarkStack
    ) throws(CollectionError) -> CollectionReport {
        unsafe pointee.collectingThread.store(
            UInt(bitPattern: thread.record), ordering: .relaxed)
        defer { unsafe pointee.collectingThread.store(0, ordering: .relaxed) }
        var report = CollectionReport()
        let asked = MonotonicClock.nanoseconds()
        let doomed: Doomed
        do throws(ThreadStateError) {
            let stopped = try unsafe StopTheWorld.begin(world, scope: pointee.roster)
            let began = MonotonicClock.nanoseconds()
            report.timeToSafepointNanoseconds = began - asked
            doomed = unsafe pause(by: thread, roots: roots, &stack, &report)
            report.pauseNanoseconds = MonotonicClock.nanoseconds() - began
            stopped.resume()
        } catch { throw .thread(error) }
        report.objectsDestroyedAfterPause = unsafe doomed.destroyAll(of: self, by: thread)
        if report.objectsDestroyedAfterPause > 0 { report.filePauseNanoseconds = unsafe fileAgain() }
        unsafe heap.purge()
        unsafe pointee.lastReport = report
        // relaxed: statistics
        unsafe pointee.finishedCount.store(report.number, ordering: .relaxed)
        unsafe pointee.totalObjectsFreed.wrappingAdd(report.objectsFreed, ordering: .relaxed)
        unsafe pointee.totalBytesFreed.wrappingAdd(report.bytesFreed, ordering: .relaxed)
        return report
    }

    /// Gives back the pages that the doomed have left empty, in a pause without a look at any object; its length. If the
    /// caller has the world stopped by other means, that is in vain, and the next collection does it.
    private func fileAgain() -> UInt64 {
        guard let stopped = try? unsafe StopTheWorld.begin(world, scope: pointee.roster) else { return 0 }
        let began = MonotonicClock.nanoseconds()
        unsafe heap.collectCrossThreadFrees()
        stopped.resume()
        return MonotonicClock.nanoseconds() - began
    }

    /// All that is done in the pause.
    private func pause(
        by thread: UnsafeMutablePointer<ObjectThread>, roots: CollectionRoots,
        _ stack: inout MarkStack, _ report: inout CollectionReport
    ) -> Doomed {
        // relaxed: the world is stopped
        let number = unsafe pointee.pauseCount.load(ordering: .relaxed) + 1
        unsafe pointee.pauseCount.store(number, ordering: .relaxed)
        report.number = number
        unsafe drainQueues(by: thread)
        let began = MonotonicClock.nanoseconds()
        unsafe mark(roots: roots, &stack, &report)
        let marked = MonotonicClock.nanoseconds()
        if unsafe pointee.isVerifying { unsafe checkMarks(roots: roots) }
        let doomed = unsafe sweep(&report)
        unsafe heap.collectCrossThreadFrees()
        unsafe heap.noteCollection()
        unsafe thread.noteDied(report.objectsFreed)
        unsafe setThreshold(bytesKept: report.bytesKept)
        if unsafe pointee.isVerifying { unsafe checkCounts(roots: roots) }
        report.markNanoseconds = marked - began
        report.sweepNanoseconds = MonotonicClock.nanoseconds() - marked
        return doomed
    }

    /// Merges what is queued for owners, and does the frees that were put off. An object whose count reaches zero here
    /// stays where it is: nothing refers to it, so it is not marked.
    private func drainQueues(by thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe pointee.objects.mergeAllQueued(by: thread, leavingDead: true)
        unsafe Roster.drainDeferred(of: pointee.roster, by: UnsafeMutableRawPointer(thread.record))
    }
}
