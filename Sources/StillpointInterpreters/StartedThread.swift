// Threads that an interpreter starts.
//
//   started -> runs attached -> finished -> joined, once: by `join`, by a later start, or by shutdown

internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads
internal import Synchronization

/// A thread that an interpreter has started. Ending this value without `join` is allowed: shutdown joins then.
public struct StartedThread: ~Copyable, Sendable {
    private let state: StartedThreadState

    init(_ state: StartedThreadState) { self.state = state }

    /// Whether its body has returned. Any thread may ask.
    public var isFinished: Bool { state.isFinished }

    /// Waits until the thread has ended. A caller that has a thread state attached is detached meanwhile.
    /// - Throws: what the thread's body threw, or `RuntimeError` if the thread could not attach.
    public consuming func join() throws {
        let current = unsafe Attachment.current
        if let current = unsafe current { unsafe Attachment.detach(current) }
        let error = state.join()
        state.interpreter.forget(state)
        if let current = unsafe current { try unsafe Attachment.attach(current) }
        if let error { throw error }
    }
}

/// What the thread and those who wait for it share.
@safe
final class StartedThreadState: @unchecked Sendable {
    let name: String
    let interpreter: Interpreter
    /// The thread's. Gone when it has finished
    private let record: UnsafeMutablePointer<ThreadRecord>
    /// Let go of by the thread, attached: what it captures may be handles. The thread's
    private var body: (@Sendable (borrowing ManagedThread) throws -> Void)?
    /// Set by the thread at its end: [set] of Event.
    private let finished = Event()
    /// What the body threw. written before `finished`
    private var error: (any Error)?
    /// guarded by joinLock: taken by the one that joins
    private var system: SystemThread?
    private let joinLock = ParkingMutex()

    init(
        name: String, interpreter: Interpreter, record: UnsafeMutablePointer<ThreadRecord>,
        body: @escaping @Sendable (borrowing ManagedThread) throws -> Void
    ) {
        self.name = name
        self.interpreter = interpreter
        unsafe self.record = record
        self.body = body
    }

    var isFinished: Bool { finished.isSet }

    func didStart(_ thread: SystemThread) { joinLock.withLock { system = thread } }

    /// The thread's own part.
    func run() {
        do {
            try unsafe interpreter.attachEntered(record)
            let thread = unsafe ManagedThread(record, of: interpreter)
            do { try body!(thread) } catch { self.error = error }
            body = nil
            unsafe interpreter.endAttached(record)
        } catch {
            self.error = error
            unsafe interpreter.discardEntered(record)
        }
        finished.set()
    }

    /// Waits for the end; what the body threw, to the first who asks.
    func join() -> (any Error)? {
        finished.wait()
        let thread = joinLock.withLock {
            defer { system = nil }
            return system
        }
        thread?.join()
        return thread == nil ? nil : error
    }
}

/// What a started thread is given to keep, until it takes it.
final class ThreadArgument<Argument: ~Copyable>: @unchecked Sendable {
    private var argument: Argument?

    init(_ argument: consuming Argument) { self.argument = consume argument }

    func take() -> Argument { argument.take()! }
}

/// The start of a started thread: a plain function, so that it belongs to no actor.
func runStartedThread(_ argument: UnsafeMutableRawPointer?) {
    let state = unsafe Unmanaged<StartedThreadState>.fromOpaque(argument!).takeRetainedValue()
    state.run()
}

extension Interpreter {
    /// Takes a joined thread off the list.
    func forget(_ thread: StartedThreadState) {
        listLock.withLock { startedThreads.removeAll { $0 === thread } }
    }
}
