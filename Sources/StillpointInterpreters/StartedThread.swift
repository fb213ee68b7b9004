// Threads that an interpreter starts.
//
//   the OS thread   started -> runs attached -> finished -> reaped, once: by `join`, a later start, or shutdown
//   its error       none or one -> thrown by `join`; or, if the value is dropped without it, told by shutdown
//
// J1  A thread is on its interpreter's list before it runs: shutdown misses none.
// J2  What a body threw goes to one place: `join` takes it, or the drop of the value, or the end of the thread after
//     that drop, whichever of these comes first. Reaping joins the OS thread and leaves the error where it is.
// J3  A body that never runs ends attached, since what it captures may be handles: where the start failed, or in shutdown.

internal import Glibc
internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// A thread that an interpreter has started. Dropping this value without `join` is allowed: shutdown waits for the thread
/// all the same, and tells what it threw.
public struct StartedThread: ~Copyable, Sendable {
    private let state: StartedThreadState

    init(_ state: StartedThreadState) { self.state = state }

    /// Whether its body has returned. Any thread may ask.
    public var isFinished: Bool { state.isFinished }

    /// Waits until the thread has ended. A caller that has a thread state attached is detached meanwhile.
    /// - Throws: what the thread's body threw, or `RuntimeError`: if the thread could not attach; `.joinOfItself`.
    public consuming func join() throws {
        if state.isRunByCaller { throw RuntimeError.joinOfItself }
        let current = unsafe Attachment.current
        if let current = unsafe current { unsafe Attachment.detach(current) }
        state.reap()
        state.interpreter.forget(state)
        if let current = unsafe current { try unsafe Attachment.attach(current) }
        if let error = state.takeError() { throw error }
    }

    deinit { state.drop() }
}

/// What the thread and those who wait for it share.
@safe
final class StartedThreadState: @unchecked Sendable {
    typealias Body = @Sendable (borrowing ManagedThread) throws -> Void

    let name: String
    let interpreter: Interpreter
    /// The thread's. Gone when it has finished
    private let record: UnsafeMutablePointer<ThreadRecord>
    /// Let go of by the thread, attached: what it captures may be handles. The thread's
    private var body: Body?
    /// Set by the thread at its end: [set] of Event.
    private let finished = Event()
    /// `CallingThread.identity` of the thread; 0: it has not begun. atomic, no edge: a thread only looks for its own
    private let runner = Atomic<UInt>(0)
    /// Held while the thread is started: who sees it finished sees `system` too.
    private let joinLock = ParkingMutex()
    /// guarded by joinLock: taken by the one that reaps
    private var system: SystemThread?
    /// What the body threw, until somebody takes it. guarded by joinLock
    private var error: (any Error)?
    /// Whether nobody can join it any more. guarded by joinLock
    private var isDropped = false

    init(
        name: String, interpreter: Interpreter, record: UnsafeMutablePointer<ThreadRecord>,
        body: @escaping Body
    ) {
        self.name = name
        self.interpreter = interpreter
        unsafe self.record = record
        self.body = body
    }

    var isFinished: Bool { finished.isSet }

    /// Whether the calling OS thread is the one.
    var isRunByCaller: Bool { runner.load(ordering: .relaxed) == CallingThread.identity }

    /// Starts the OS thread by `body`. If it throws, there is none, and nobody waits for one.
    func start(_ body: () throws(PlatformError) -> SystemThread) throws(PlatformError) {
        do throws(PlatformError) {
            try joinLock.withLock { () throws(PlatformError) in system = try body() }
        } catch {
            giveUpBody()
            finished.set()
            throw error
        }
    }

    /// The body will not run (J3). The gate is entered.
    private func giveUpBody() {
        if let body { interpreter.keep(unrun: body) }
        body = nil
    }

    /// The thread's own part.
    func run() {
        runner.store(CallingThread.identity, ordering: .relaxed)
        var thrown: (any Error)?
        do {
            try unsafe interpreter.attachEntered(record)
            let thread = unsafe ManagedThread(record, of: interpreter)
            do { try body!(thread) } catch { thrown = error }
            body = nil
            unsafe interpreter.endAttached(record)
        } catch {
            thrown = error
            giveUpBody()
            unsafe interpreter.discardEntered(record)
        }
        let uncaught = joinLock.withLock {
            error = thrown
            return isDropped ? takeErrorLocked() : nil
        }
        // Before `finished`: shutdown, which waits for that, tells it.
        if let uncaught { interpreter.noteUncaught(uncaught, of: name) }
        finished.set()
    }

    /// Waits for the end, and for the OS thread's.
    func reap() {
        finished.wait()
        let thread = joinLock.withLock {
            defer { system = nil }
            return system
        }
        thread?.join()
    }

    /// What the body threw; nil if somebody has it already. For `join`, after `reap`.
    func takeError() -> (any Error)? { joinLock.withLock { takeErrorLocked() } }

    /// Nobody joins it any more: what it threw, or will throw, is shutdown's to tell.
    func drop() {
        let uncaught = joinLock.withLock {
            isDropped = true
            return takeErrorLocked()
        }
        if let uncaught { interpreter.noteUncaught(uncaught, of: name) }
    }

    private func takeErrorLocked() -> (any Error)? {
        defer { error = nil }
        return error
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

    /// Lets a body that never ran end here if the calling thread is attached, else in shutdown (J3). The gate is entered.
    func keep(unrun body: @escaping StartedThreadState.Body) {
        if let current = unsafe Attachment.current, unsafe current.pointee.roster == roster { return }
        listLock.withLock { unrunBodies.append(body) }
    }

    /// Ends what threads that never ran were given, attached.
    func endUnrunBodies() {
        let bodies = listLock.withLock {
            defer { unrunBodies = [] }
            return unrunBodies
        }
        _ = consume bodies
    }

    /// Keeps for shutdown's report what a started thread threw that nobody joins; after that report, says it.
    func noteUncaught(_ error: any Error, of name: String) {
        let text = "\(name): \(error)"
        let isKept = listLock.withLock {
            uncaughtErrors?.append(text)
            return uncaughtErrors != nil
        }
        if !isKept { Diagnosis.report("a started thread was dropped without join after shutdown(); \(text)") }
    }
}
