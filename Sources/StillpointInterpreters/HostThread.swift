// A thread state for hosts whose threads come and go: an event loop that attaches for each callback, a plug-in that is
// called from threads it does not own.
//
//   detached --attach--> attached --detach--> detached ... --end--> gone
//      |                                          |
//      +------------- shutdown: cleared ----------+    `attach` throws `.shuttingDown` from then on

internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// A thread state of one interpreter that its OS thread attaches and detaches as it likes.
///
/// The first attach binds it to the calling OS thread; it may be made elsewhere. Dropped without `end()`, its record
/// stays until the interpreter's shutdown clears it. Dropping it while it is attached ends the process with a message:
/// shutdown would wait for it for ever.
@safe
public struct HostThread: ~Copyable, @unchecked Sendable {
    private let record: UnsafeMutablePointer<ThreadRecord>
    private let lent: ManagedThread
    /// Whether it is attached, or in a `detached` of its own: inside the gate. atomic, no edge: changed by its OS thread
    private let isInside = Atomic<Bool>(false)

    init(_ record: UnsafeMutablePointer<ThreadRecord>, of interpreter: Interpreter) {
        unsafe self.record = record
        lent = unsafe ManagedThread(record, of: interpreter)
    }

    private var interpreter: Interpreter { lent.interpreter }

    /// The thread state as other calls want it. Precondition: it is attached to the calling OS thread.
    public var thread: ManagedThread {
        _read {
            require(
                unsafe Attachment.current == record, "a host thread used while it is not attached here")
            yield lent
        }
    }

    /// Attaches it to the calling OS thread, waiting while its interpreter is stopped or its lock is taken.
    /// - Throws: `.shuttingDown`, `.thread`.
    public borrowing func attach() throws(RuntimeError) {
        let interpreter = interpreter
        guard unsafe interpreter.gate.pointee.enter() else { throw .shuttingDown }
        do throws(RuntimeError) { try unsafe interpreter.attachEntered(record) } catch {
            unsafe Gate.leave(interpreter.gate)
            throw error
        }
        isInside.store(true, ordering: .relaxed)
    }

    /// Detaches it. Precondition: it is attached to the calling OS thread.
    public borrowing func detach() {
        unsafe Attachment.detach(record)
        isInside.store(false, ordering: .relaxed)
        unsafe Gate.leave(interpreter.gate)
    }

    /// Attaches, runs `body`, detaches.
    /// - Throws: `RuntimeError` if it cannot attach, and whatever `body` throws.
    public borrowing func withAttached<Result: ~Copyable>(
        _ body: (borrowing ManagedThread) throws -> Result
    ) throws -> Result {
        try attach()
        do {
            let result = try body(thread)
            detach()
            return result
        } catch {
            detach()
            throw error
        }
    }

    /// Clears and deletes it, attached or not. This OS thread is the one it is bound to, if any, and has no other state
    /// attached, nor the world stopped. After the interpreter's shutdown began, shutdown does it.
    /// - Throws: `.thread` if it is bound elsewhere, or another is attached here: it is left to shutdown then.
    public consuming func end() throws(RuntimeError) {
        let interpreter = interpreter
        if unsafe Attachment.current == record {
            require(unsafe !record.isStopping, "a host thread ended inside its own stop")
        } else {
            do throws(RuntimeError) { try attach() } catch {
                if error == .shuttingDown { return }
                throw error
            }
        }
        isInside.store(false, ordering: .relaxed)
        interpreter.listLock.withLock {
            _ = unsafe interpreter.hostRecords.remove(UInt(bitPattern: record))
        }
        unsafe interpreter.endAttached(record)
    }

    deinit {
        require(
            !isInside.load(ordering: .relaxed), "a host thread was dropped while it is attached: detach() or end() it")
    }
}
