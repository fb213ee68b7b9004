// How threads come to an interpreter: an OS thread of the embedder's attaches for a scope, or again and again with a
// state of its own (HostThread.swift); or the interpreter starts one (StartedThread.swift).

internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

extension Interpreter {
    /// Attaches the calling OS thread for the time of `body`: makes a thread state, and clears and deletes it at the
    /// end. A thread may have states in several interpreters, one attached at a time: inside another interpreter's scope
    /// call it in `detached`.
    /// - Throws: `RuntimeError` if it cannot attach; and whatever `body` throws.
    public func withThread<Result: ~Copyable>(
        _ body: (borrowing ManagedThread) throws -> Result
    ) throws -> Result {
        let record = try unsafe enterNewThread()
        do throws(RuntimeError) { try unsafe attachEntered(record) } catch {
            unsafe discardEntered(record)
            throw error
        }
        let thread = unsafe ManagedThread(record, of: self)
        do {
            let result = try body(thread)
            unsafe endAttached(record)
            return result
        } catch {
            unsafe endAttached(record)
            throw error
        }
    }

    /// Starts an OS thread that runs `body` attached, and ends with it. Handles that `body` captures are shared with the
    /// scope that they come from; to give the thread one of its own, use the form with an argument.
    ///
    /// `shutdown` waits for it, whether or not it is joined. What `body` throws, `join` throws, also after `shutdown`; if
    /// the result is dropped without a join, `shutdown` reports it.
    /// - Parameters:
    ///   - name: as debuggers show it, at most 15 bytes.
    ///   - stackByteCount: `nil`: the system's default.
    ///   - processor: the one that it is bound to, `nil`: any.
    /// - Throws: `.shuttingDown`, `.thread`, `.system`. `body`, with handles that it holds, ends here then, or if the calling
    ///   thread is not attached, in `shutdown`; with `.shuttingDown` it always ends here, and its handles must be able to.
    @discardableResult
    public func startThread(
        name: String = "sp-thread", stackByteCount: Int? = nil, processor: Int? = nil,
        _ body: @escaping @Sendable (borrowing ManagedThread) throws -> Void
    ) throws(RuntimeError) -> StartedThread {
        joinFinishedThreads()
        let record: UnsafeMutablePointer<ThreadRecord>
        do throws(RuntimeError) { unsafe record = try enterNewThread() } catch {
            if unsafe gate.pointee.enter() {
                keep(unrun: body)
                unsafe Gate.leave(gate)
            }
            throw error
        }
        let state = unsafe StartedThreadState(name: name, interpreter: self, record: record, body: body)
        let argument = unsafe Unmanaged.passRetained(state)
        listLock.withLock { startedThreads.append(state) }  // J1
        do throws(PlatformError) {
            try state.start { () throws(PlatformError) in
                try unsafe SystemThread.start(
                    name: name, stackByteCount: stackByteCount, processor: processor,
                    argument: argument.toOpaque(), body: runStartedThread)
            }
        } catch {
            forget(state)
            unsafe argument.release()
            unsafe discardEntered(record)
            throw .system(error)
        }
        return StartedThread(state)
    }

    /// The same, with something for the thread to keep: a handle, or a struct of handles. `body` gets it for its own.
    @discardableResult
    public func startThread<Argument: ~Copyable & Sendable>(
        _ argument: consuming Argument, name: String = "sp-thread", stackByteCount: Int? = nil,
        processor: Int? = nil,
        _ body: @escaping @Sendable (borrowing ManagedThread, consuming Argument) throws -> Void
    ) throws(RuntimeError) -> StartedThread {
        let kept = ThreadArgument(argument)
        return try startThread(name: name, stackByteCount: stackByteCount, processor: processor) {
            thread in try body(thread, kept.take())
        }
    }

    /// A thread state for a host that attaches and detaches by itself.
    /// - Throws: `.shuttingDown`, `.thread`.
    public func makeHostThread() throws(RuntimeError) -> HostThread {
        let record = try unsafe enterNewThread()
        listLock.withLock { _ = hostRecords.insert(UInt(bitPattern: record)) }
        unsafe Gate.leave(gate)
        return unsafe HostThread(record, of: self)
    }

    // MARK: Entering and leaving

    /// Passes the gate and makes a thread state, detached.
    func enterNewThread() throws(RuntimeError) -> UnsafeMutablePointer<ThreadRecord> {
        guard unsafe gate.pointee.enter() else { throw .shuttingDown }
        do throws(RuntimeError) {
            return try unsafe RuntimeError.ofThreads { () throws(ThreadStateError) in
                try unsafe Roster.makeThread(in: roster)
            }
        } catch {
            unsafe Gate.leave(gate)
            throw error
        }
    }

    /// Attaches a state that is inside the gate.
    func attachEntered(_ record: UnsafeMutablePointer<ThreadRecord>) throws(RuntimeError) {
        try refuseInsideStop()
        try RuntimeError.ofThreads { () throws(ThreadStateError) in
            try unsafe Attachment.attach(record)
        }
    }

    /// Deletes a state that was never attached, and leaves the gate.
    func discardEntered(_ record: UnsafeMutablePointer<ThreadRecord>) {
        unsafe Roster.deleteUnused(record)
        unsafe Gate.leave(gate)
    }

    /// Clears and deletes the attached state of the calling thread, and leaves the gate.
    func endAttached(_ record: UnsafeMutablePointer<ThreadRecord>) {
        do throws(ThreadStateError) { try unsafe Roster.clear(record, by: record) } catch {
            endProcess("the end of a thread's scope: \(error)")
        }
        unsafe Roster.deleteCurrent(record)
        unsafe Gate.leave(gate)
    }

    /// Throws if the calling OS thread has this interpreter or all stopped: it would wait for itself.
    func refuseInsideStop() throws(RuntimeError) {
        if stopMark.isMine() || runtime.stopMark.isMine() { throw .thread(.stopInsideStop) }
    }

    /// Reaps the threads that have finished and that nobody has joined, so that a program which starts many and joins none
    /// keeps no OS threads of theirs.
    private func joinFinishedThreads() {
        let finished = listLock.withLock {
            // Asked once each: a thread may finish at any time, and who leaves the list is reaped.
            let end = startedThreads.partition { $0.isFinished }
            defer { startedThreads.removeSubrange(end...) }
            return startedThreads[end...]
        }
        for thread in finished { thread.reap() }
    }
}
