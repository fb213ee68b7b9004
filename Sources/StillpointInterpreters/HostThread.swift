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
/// stays until the interpreter's shutdown clears it.
@safe
public struct HostThread: ~Copyable, @unchecked Sendable {
    private let record: UnsafeMutablePointer<ThreadRecord>
    private let lent: ManagedThread

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
    }

    /// Detaches it. Precondition: it is attached to the calling OS thread.
    public borrowing func detach() {
        unsafe Attachment.detach(record)
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

    /// Clears and deletes it. It is detached; this OS thread is the one it is bound to, if any, and has no other state
    /// attached. After the interpreter's shutdown began, shutdown does it.
    /// - Throws: `.thread` if it is attached, or bound elsewhere: it is left to shutdown then.
    public consuming func end() throws(RuntimeError) {
        let interpreter = interpreter
        do throws(RuntimeError) { try attach() } catch {
            if error == .shuttingDown { return }
            throw error
        }
        interpreter.listLock.withLock {
            _ = unsafe interpreter.hostRecords.remove(UInt(bitPattern: record))
        }
        unsafe interpreter.endAttached(record)
    }
}
