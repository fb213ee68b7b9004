// What is done with a whole interpreter: stopping it, collecting it, counting what it holds.

public import StillpointCollectors
public import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// A stopped interpreter, until `resume()`, or until this value ends, on the OS thread that stopped it.
public struct StoppedInterpreter: ~Copyable {
    private let interpreter: Interpreter
    private let stopped: StoppedWorld
    private let previousMark: UInt

    init(_ interpreter: Interpreter, _ stopped: consuming StoppedWorld) {
        self.interpreter = interpreter
        previousMark = interpreter.stopMark.set()
        self.stopped = stopped
    }

    /// Lets every thread go.
    public consuming func resume() {}

    deinit {
        interpreter.stopMark.putBack(previousMark)
        stopped.resume()
        unsafe Gate.leave(interpreter.gate)
    }
}

extension Interpreter {
    /// Runs `body` while every thread of this interpreter, but the calling one, stands still. Any thread may call it,
    /// attached here, elsewhere (it is detached meanwhile) or not at all. Inside `body` nothing attaches, detaches,
    /// collects or waits for a thread.
    /// - Throws: `RuntimeError`, and whatever `body` throws.
    public func withWorldStopped<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws -> Result {
        try enterFromAnywhere()
        defer { unsafe Gate.leave(gate) }
        let stopped = try RuntimeError.ofThreads { () throws(ThreadStateError) in
            try unsafe StopTheWorld.begin(roster.pointee.world, scope: roster)
        }
        return try stopMark.with(stopped, body)
    }

    /// Stops every other thread of this interpreter until the result's `resume()`, on the same OS thread.
    public func stopWorld() throws(RuntimeError) -> StoppedInterpreter {
        try enterFromAnywhere()
        do throws(RuntimeError) {
            let stopped = try RuntimeError.ofThreads { () throws(ThreadStateError) in
                try unsafe StopTheWorld.begin(roster.pointee.world, scope: roster)
            }
            return StoppedInterpreter(self, stopped)
        } catch {
            unsafe Gate.leave(gate)
            throw error
        }
    }

    /// Collects this interpreter. A calling thread that has no state attached gets one for it; one that has this
    /// interpreter's uses that.
    /// - Throws: `.collection`, `.thread`, `.shuttingDown`.
    @discardableResult
    public func collect() throws(RuntimeError) -> CollectionReport {
        try refuseInsideStop()
        if let current = unsafe Attachment.current, unsafe current.pointee.roster == roster {
            return try unsafe ManagedThread(current, of: self).collect()
        }
        let record = try unsafe enterNewThread()
        do throws(RuntimeError) { try unsafe attachEntered(record) } catch {
            unsafe discardEntered(record)
            throw error
        }
        defer { unsafe endAttached(record) }
        return try unsafe ManagedThread(record, of: self).collect()
    }

    /// What the interpreter holds, counted object by object at a stop.
    /// - Throws: `.collection`, `.shuttingDown`.
    public func statistics() throws(RuntimeError) -> InterpreterStatistics {
        try enterFromAnywhere()
        defer { unsafe Gate.leave(gate) }
        do throws(CollectionError) {
            let census = try unsafe collector.census()
            return unsafe InterpreterStatistics(census: census, totals: collector.totals())
        } catch { throw .collection(error) }
    }

    /// How long stops of this interpreter alone lasted. Also after `shutdown`.
    public var pauses: DurationSummary { measures.pauses }

    /// How long stops of this interpreter alone took to bring its threads to a safepoint. Also after `shutdown`.
    public var timeToSafepoint: DurationSummary { measures.timeToSafepoint }

    private var measures: StopMeasures {
        // Not by the gate: they are to be had while it is closing, too. Who ends the roster sets `finalMeasures` first.
        listLock.withLock { unsafe finalMeasures ?? StopMeasures(of: roster) }
    }

    /// Passes the gate; a thread that is attached here is inside already, and so may pass while it is closing.
    private func enterFromAnywhere() throws(RuntimeError) {
        if let current = unsafe Attachment.current, unsafe current.pointee.roster == roster {
            unsafe gate.pointee.enterAgain()
        } else if unsafe !gate.pointee.enter() {
            throw .shuttingDown
        }
    }
}
