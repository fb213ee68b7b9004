// A runtime: what interpreters have in common. Several may live in a process; they share nothing but the parking lot,
// liburcu and the current-thread pointer.
//
//   made --makeInterpreter--> in use, n interpreters --each shut down--> unused --shutdown--> over
//
// N1  The raw memory of a runtime (its world, type table, owner table) lives from `init` to `shutdown`, and is touched
//     only by who is inside the gate; an interpreter is, from its making to its shutdown.
// N2  A runtime is shut down when nobody is inside. Forgetting it is diagnosed on standard error, and leaks.

internal import StillpointCollectors
public import StillpointObjects
public import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// A managed runtime. Any thread may call it.
@safe
public final class Runtime: @unchecked Sendable {
    /// The choices it was made with. immutable
    public let options: RuntimeOptions
    /// immutable, behind the gate (N1)
    let world: UnsafeMutablePointer<World>
    let objects: UnsafeMutablePointer<RuntimeObjects>
    /// Its end, and who is inside. Raw memory, so that it has one address. immutable
    let gate: UnsafeMutablePointer<Gate>
    /// Which thread has stopped all interpreters.
    let stopMark = StopMark()
    /// What was measured, set before the world goes; nil: ask the world. guarded by `measuresLock`
    private var measures: StopMeasures?
    private let measuresLock = ParkingMutex()
    /// The lock that all interpreters share when the options say so. guarded by lockOfAllLock
    private var lockOfAll: LockOwner?
    private let lockOfAllLock = ParkingMutex()

    /// A runtime without interpreters, and its service thread.
    /// - Throws: `.system`.
    public init(_ options: RuntimeOptions = RuntimeOptions()) throws(RuntimeError) {
        self.options = options
        var hooks = ThreadHooks()
        ObjectHooks.install(into: &hooks)
        Collector.install(into: &hooks)
        do throws(PlatformError) {
            unsafe gate = try Gate.make()
            do throws(PlatformError) {
                unsafe objects = try RuntimeObjects.make()
                do throws(PlatformError) {
                    unsafe world = try World.make(hooks: hooks)
                } catch {
                    unsafe RuntimeObjects.destroy(objects)
                    throw error
                }
            } catch {
                unsafe Gate.destroy(gate)
                throw error
            }
        } catch { throw .system(error) }
        unsafe StopTheWorld.setRescanning(options.rescansStops, in: world)
    }

    /// Registers a type of objects, whose payload is the struct `Payload`. A type is never unregistered.
    public func makeType<Payload: ManagedPayload>(
        _: Payload.Type, name: String? = nil
    ) throws(TypeError) -> ManagedType<Payload> {
        require(unsafe gate.pointee.enter(), "a type made in a runtime that was shut down")
        defer { unsafe Gate.leave(gate) }
        return try unsafe objects.types.add(Payload.self, name: name)
    }

    /// A new interpreter: a heap, handles and threads of its own.
    /// - Parameters:
    ///   - name: for messages.
    ///   - lock: whether its threads run in parallel.
    /// - Throws: `.shuttingDown`, `.noLockToShare`, `.system`.
    public func makeInterpreter(
        name: String = "", lock: LockMode = .byOptions
    ) throws(RuntimeError) -> Interpreter {
        guard unsafe gate.pointee.enter() else { throw .shuttingDown }
        do throws(RuntimeError) {
            let owner = try lockOwner(for: lock)
            return try Interpreter(name: name, lock: owner, in: self)
        } catch {
            unsafe Gate.leave(gate)
            throw error
        }
    }

    /// The lock of a new interpreter, if it is to have one.
    private func lockOwner(for mode: LockMode) throws(RuntimeError) -> LockOwner? {
        switch (mode, options.interpreterLock) {
        case (.none, _), (.byOptions, .none):
            return nil
        case (.own, _), (.byOptions, .own):
            return try makeLock()
        case (.shared(let other), _):
            guard other.runtime === self, let owner = other.lock else { throw .noLockToShare }
            return owner
        case (.byOptions, .shared):
            lockOfAllLock.lock()
            defer { lockOfAllLock.unlock() }
            if let owner = lockOfAll { return owner }
            let owner = try makeLock()
            lockOfAll = owner
            return owner
        }
    }

    private func makeLock() throws(RuntimeError) -> LockOwner {
        do throws(PlatformError) { return try LockOwner() } catch { throw .system(error) }
    }

    /// Runs `body` while every thread of every interpreter, but the calling one, stands still. `body` must not attach,
    /// detach, collect or wait for a thread.
    /// - Throws: `RuntimeError`, and whatever `body` throws.
    public func withWorldStopped<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws -> Result {
        guard unsafe gate.pointee.enter() else { throw RuntimeError.shuttingDown }
        defer { unsafe Gate.leave(gate) }
        let stopped = try RuntimeError.ofThreads { () throws(ThreadStateError) in
            try unsafe StopTheWorld.begin(world, scope: nil)
        }
        return try stopMark.with(stopped, body)
    }

    /// How long stops kept threads, all interpreters', from standing still to being let go. Also after `shutdown`.
    public var pauses: DurationSummary { currentMeasures.pauses }

    /// How long stops took to bring all threads to a safepoint. Also after `shutdown`.
    public var timeToSafepoint: DurationSummary { currentMeasures.timeToSafepoint }

    private var currentMeasures: StopMeasures {
        measuresLock.withLock { unsafe measures ?? StopMeasures(of: world) }
    }

    /// Ends the runtime and frees its memory. Its interpreters are shut down already.
    /// - Throws: `.stillInUse` (interpreters, or calls under way on other threads), `.shuttingDown` (a second time).
    public func shutdown() throws(RuntimeError) {
        guard unsafe gate.pointee.tryClose() else {
            if unsafe gate.pointee.isClosing() { throw .shuttingDown }
            throw .stillInUse(count: unsafe gate.pointee.count())
        }
        measuresLock.withLock { measures = unsafe StopMeasures(of: world) }
        unsafe World.destroy(world)
        unsafe RuntimeObjects.destroy(objects)
    }

    deinit {
        if unsafe gate.pointee.isClosing() {
            unsafe Gate.destroy(gate)
        } else {
            Diagnosis.report("a runtime was dropped without shutdown(): its memory and its service thread are leaked")
        }
    }
}
