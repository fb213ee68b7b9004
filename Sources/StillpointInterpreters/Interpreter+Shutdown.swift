// The end of an interpreter.
//
//   closing    nobody gets in any more; wait until scopes, started threads, attached host threads and calls are gone
//   join       started threads that nobody joined
//   closer     a thread state of the caller's is attached; it clears and deletes what hosts left
//   collect    once with roots: what is left then is held by handles that somebody forgot: the leaks
//   free       once without roots: every object goes, destroy functions run
//   over       roster, handles, collector and heap are freed
//
// F1  Nothing but the closer touches the interpreter after `closing`, apart from the runtime's service thread, which the
//     roster's own end waits for.
// F2  The closer's state, and the memory for the two last collections, are had first: a shutdown that cannot have them has
//     not begun, and one that has begun needs no memory.

public import StillpointCollectors
internal import StillpointMemory
internal import StillpointObjects
internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// What an interpreter's end found.
public struct ShutdownReport: Sendable, Equatable {
    /// The last collection with roots.
    public internal(set) var collection: CollectionReport
    /// Handles that were not ended, and all objects that they kept, with their blocks in bytes. The objects are freed
    /// now; ending one of those handles later is diagnosed.
    public internal(set) var leakedHandleCount = 0
    public internal(set) var leakedObjectCount = 0
    public internal(set) var leakedByteCount = 0
    /// The same by type, most bytes first.
    public internal(set) var leaks: [TypeStatistics] = []
    /// Host threads that were not ended.
    public internal(set) var leftHostThreadCount = 0
    /// Blocks that no collection could free: none, unless the runtime is in error.
    public internal(set) var unfreedBlockCount = 0
    /// What started threads threw whose `StartedThread` was dropped without a join: the thread's name and the error.
    public internal(set) var uncaughtErrors: [String] = []

    /// Whether nothing was left behind.
    public var isClean: Bool {
        leakedHandleCount == 0 && leakedObjectCount == 0 && leftHostThreadCount == 0
            && unfreedBlockCount == 0 && uncaughtErrors.isEmpty
    }
}

extension Interpreter {
    /// Ends the interpreter: waits for its users, frees all it has, and says what they left.
    ///
    /// Waits for every started thread to return, every `withThread` scope to end and every host thread to detach. Who
    /// comes from now on gets `.shuttingDown`. Host threads that are detached are cleared. Objects that handles still
    /// hold are reported, and freed.
    /// - Throws: `.attachedDuringShutdown` if the calling thread has a state attached here or elsewhere;
    ///   `.insideDuringShutdown` in a `detached` of this interpreter; `.thread(.stopInsideStop)` if the calling thread has
    ///   any interpreter of the runtime stopped; `.shuttingDown` if it was called before; `.thread` or `.collection` if there is
    ///   no memory to begin. Nothing was changed then.
    @discardableResult
    public func shutdown() throws(RuntimeError) -> ShutdownReport {
        if unsafe Attachment.current != nil { throw .attachedDuringShutdown }
        let closer = try unsafe enterNewThread()
        var reserve: CollectionReserve
        do throws(RuntimeError) {
            try refuseWaitForItself()
            try RuntimeError.ofThreads { () throws(ThreadStateError) in try unsafe Roster.bind(closer) }
            do throws(CollectionError) { reserve = try unsafe CollectionReserve(for: collector) } catch {
                throw .collection(error)
            }
        } catch {
            unsafe discardEntered(closer)
            throw error
        }
        guard unsafe gate.pointee.beginClosing() else {
            unsafe discardEntered(closer)
            throw .shuttingDown
        }
        unsafe Gate.leave(gate)
        unsafe Gate.waitUntilEmpty(gate)
        joinAllThreads()
        do throws(ThreadStateError) { try unsafe Attachment.attach(closer) } catch {
            endProcess("the closing thread cannot attach: \(error)")
        }
        endUnrunBodies()
        var report = unsafe collectAndFree(by: closer, &reserve)
        report.uncaughtErrors = listLock.withLock {
            defer { uncaughtErrors = nil }
            return uncaughtErrors ?? []
        }
        unsafe destroyParts(closer, &report)
        unsafe Gate.leave(runtime.gate)
        return report
    }

    /// Throws if what shutdown waits for could not come about while the calling OS thread is in it. The gate is entered.
    private func refuseWaitForItself() throws(RuntimeError) {
        if unsafe StopTheWorld.isAnyStoppedByCaller(in: roster.pointee.world) { throw .thread(.stopInsideStop) }
        if unsafe Roster.hasAwayThreadOfCaller(roster) { throw .insideDuringShutdown }
    }

    private func joinAllThreads() {
        let threads = listLock.withLock {
            defer { startedThreads = [] }
            return startedThreads
        }
        for thread in threads { thread.reap() }
    }

    /// The two last collections, and what the first left.
    private func collectAndFree(
        by closer: UnsafeMutablePointer<ThreadRecord>, _ reserve: inout CollectionReserve
    ) -> ShutdownReport {
        let thread = unsafe UnsafeMutablePointer<ObjectThread>(closer)
        let hostCount = unsafe clearHostThreads(by: closer)
        unsafe Roster.close(roster, by: closer)
        let (collection, census): (CollectionReport, HeapCensus)
        do throws(CollectionError) {
            collection = try unsafe Collector.collect(collector, by: thread, with: &reserve)
            census = try unsafe collector.census(with: &reserve)
            _ = try unsafe Collector.collectAll(collector, by: thread, with: &reserve)
        } catch { endProcess("the last collection: \(error)") }
        var report = ShutdownReport(collection: collection)
        report.leakedHandleCount = census.handleCount
        report.leakedObjectCount = census.objectCount
        report.leakedByteCount = census.objectByteCount
        report.leaks = census.types
        report.leftHostThreadCount = hostCount
        return report
    }

    /// Clears and deletes the host threads that nobody ended. They are detached: the gate is empty.
    private func clearHostThreads(by closer: UnsafeMutablePointer<ThreadRecord>) -> Int {
        let records = listLock.withLock {
            defer { hostRecords = [] }
            return hostRecords
        }
        for address in records {
            let record = unsafe UnsafeMutablePointer<ThreadRecord>(bitPattern: address)!
            // A stop or the service thread may have it suspended for a moment.
            while true {
                do throws(ThreadStateError) {
                    try unsafe Roster.clear(record, by: closer)
                    break
                } catch {
                    require(error == .stillAttached, "the end of a host thread: \(error)")
                    unsafe Safepoint.poll(closer)
                    SystemThread.yield()
                }
            }
            // The service thread passes by a state that has nothing due, so the record may go.
            while unsafe !isTakenFromService(record, by: closer) {
                unsafe Safepoint.poll(closer)
                SystemThread.yield()
            }
            unsafe Roster.delete(record)
        }
        return records.count
    }

    /// Takes what is due off a cleared state; false if somebody holds it just now.
    private func isTakenFromService(
        _ record: UnsafeMutablePointer<ThreadRecord>, by closer: UnsafeMutablePointer<ThreadRecord>
    ) -> Bool {
        let due = ThreadWord.mergeDue | ThreadWord.deferredDue | ThreadWord.collectionDue
        do throws(ThreadStateError) {
            return try unsafe withThreadHeld(record, by: closer) {
                // relaxed: what was due was done by `clear`
                unsafe record.pointee.participant.word.bitwiseAnd(~due, ordering: .relaxed)
            }
        } catch { endProcess("holding a cleared thread: \(error)") }
    }

    private func destroyParts(
        _ closer: UnsafeMutablePointer<ThreadRecord>, _ report: inout ShutdownReport
    ) {
        do throws(ThreadStateError) { try unsafe Roster.clear(closer, by: closer) } catch {
            endProcess("the end of the closing thread: \(error)")
        }
        unsafe Roster.deleteCurrent(closer)
        let measures = unsafe StopMeasures(of: roster)
        listLock.withLock { finalMeasures = measures }
        unsafe Roster.destroy(roster)
        report.unfreedBlockCount = unsafe heap.statistics().liveBlockCount
        _ = unsafe InterpreterObjects.destroy(objects)
        unsafe CollectorState.destroy(collector)
        unsafe InterpreterParts.destroyHeap(heap)
    }
}
