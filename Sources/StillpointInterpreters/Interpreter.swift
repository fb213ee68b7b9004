// An interpreter: a heap, handles, a collector and threads, isolated from the other interpreters of its runtime.
//
//   made -----> open, n users inside -----shutdown-----> closing -----nobody inside-----> over
//                (scopes, started threads,
//                 attached host threads, calls)
//
// E1  What an interpreter is made of (heap, roster, objects, collector) is raw memory from `init` to the end of `shutdown`,
//     touched only by who is inside the gate. A thread that is attached is inside, so is one in `detached`.
// E2  Once closing, nobody gets in: attaching, starting a thread, stopping and collecting from outside throw
//     `.shuttingDown`. Who is inside goes on until it leaves.
// E3  At the end no thread state is left, every object has been freed, and the heap is unmapped, whatever handles the
//     embedder still holds: those name nothing any more, and ending one is diagnosed.
// E4  An object of one interpreter is never stored in another's: handles and fields do not cross. In every build, a store
//     through handles into a field, an array, a list or a dictionary that would is diagnosed. A field in the value that an
//     object is made from is not: whose handle it was made from is the embedder's to see to.
// Lock order: runtime's gate, interpreter's gate, then floor 4's. `listLock` is a leaf.

internal import StillpointCollectors
internal import StillpointMemory
internal import StillpointObjects
internal import StillpointPlatform
internal import StillpointSynchronization
internal import StillpointThreads

/// One interpreter of a runtime. Any thread may call it. How threads come to it: Interpreter+Threads.swift; its end:
/// Interpreter+Shutdown.swift.
@safe
public final class Interpreter: @unchecked Sendable {
    /// The runtime that it was made in. immutable
    public let runtime: Runtime
    /// For messages. immutable
    public let name: String

    // Raw memory, behind the gate (E1). immutable
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    let objects: UnsafeMutablePointer<InterpreterObjects>
    let collector: UnsafeMutablePointer<CollectorState>
    let gate: UnsafeMutablePointer<Gate>

    /// The interpreter lock, if it has one. immutable
    let lock: LockOwner?
    /// Which thread has stopped this interpreter.
    let stopMark = StopMark()

    let listLock = ParkingMutex()
    /// Threads that it started and that nobody has reaped. guarded by listLock
    var startedThreads: [StartedThreadState] = []
    /// Records of host threads that were not ended. guarded by listLock
    var hostRecords: Set<UInt> = []
    /// What started threads threw whose `StartedThread` was dropped; nil: shutdown has told it. guarded by listLock
    var uncaughtErrors: [String]? = []
    /// What threads were to run that never ran: it may hold handles, which end attached. guarded by listLock
    var unrunBodies: [StartedThreadState.Body] = []
    /// What was measured, set before the roster goes; nil: ask the roster. guarded by listLock
    var finalMeasures: StopMeasures?

    /// The runtime's gate is entered, and left by shutdown.
    init(name: String, lock owner: LockOwner?, in runtime: Runtime) throws(RuntimeError) {
        let parts: InterpreterParts
        do throws(PlatformError) {
            unsafe parts = try InterpreterParts.make(in: runtime, lock: owner?.lock)
        } catch { throw .system(error) }
        self.runtime = runtime
        self.name = name
        lock = owner
        unsafe heap = parts.heap
        unsafe roster = parts.roster
        unsafe objects = parts.objects
        unsafe collector = parts.collector
        unsafe gate = parts.gate
    }

    deinit {
        if unsafe gate.pointee.isClosing() {
            unsafe Gate.destroy(gate)
        } else {
            Diagnosis.report(
                "interpreter \"\(name)\" was dropped without shutdown(): its heap and its threads are leaked")
        }
    }
}

/// The raw memory that an interpreter is made of, made in this order and, if one part cannot be had, unmade in the
/// opposite one.
@safe
struct InterpreterParts {
    let gate: UnsafeMutablePointer<Gate>
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let roster: UnsafeMutablePointer<Roster>
    let objects: UnsafeMutablePointer<InterpreterObjects>
    let collector: UnsafeMutablePointer<CollectorState>

    static func make(
        in runtime: Runtime, lock: UnsafeMutablePointer<InterpreterLock>?
    ) throws(PlatformError) -> InterpreterParts {
        let gate = try unsafe Gate.make()
        do throws(PlatformError) {
            let heap = try unsafe makeHeap()
            do throws(PlatformError) {
                return unsafe try make(in: runtime, lock: lock, gate: gate, heap: heap)
            } catch {
                unsafe destroyHeap(heap)
                throw error
            }
        } catch {
            unsafe Gate.destroy(gate)
            throw error
        }
    }

    private static func make(
        in runtime: Runtime, lock: UnsafeMutablePointer<InterpreterLock>?,
        gate: UnsafeMutablePointer<Gate>, heap: UnsafeMutablePointer<InterpreterHeap>
    ) throws(PlatformError) -> InterpreterParts {
        let roster = try unsafe Roster.make(in: runtime.world, heap: heap, lock: lock)
        let objects: UnsafeMutablePointer<InterpreterObjects>
        do throws(PlatformError) {
            unsafe objects = try InterpreterObjects.make(for: roster, in: runtime.objects)
        } catch {
            unsafe destroyUnused(roster)
            throw error
        }
        do throws(PlatformError) {
            let collector = try unsafe CollectorState.make(for: objects)
            unsafe configure(collector, by: runtime.options)
            return unsafe InterpreterParts(
                gate: gate, heap: heap, roster: roster, objects: objects, collector: collector)
        } catch {
            unsafe destroyUnused(roster)
            unsafe _ = InterpreterObjects.destroy(objects)
            throw error
        }
    }

    private static func destroyUnused(_ roster: UnsafeMutablePointer<Roster>) {
        unsafe Roster.close(roster)
        unsafe Roster.destroy(roster)
    }

    private static func configure(
        _ collector: UnsafeMutablePointer<CollectorState>, by options: RuntimeOptions
    ) {
        unsafe collector.pointee.minimumByteCount = options.minimumCollectionByteCount
        unsafe collector.pointee.collectsAutomatically = options.collectsAutomatically
        unsafe collector.pointee.isVerifying = options.verifiesCollections
        unsafe collector.setThreshold()
    }

    private static func makeHeap() throws(PlatformError) -> UnsafeMutablePointer<InterpreterHeap> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<InterpreterHeap>.stride, alignment: 128)
        let heap = unsafe memory.bindMemory(to: InterpreterHeap.self, capacity: 1)
        unsafe heap.initialize(to: InterpreterHeap())
        return unsafe heap
    }

    /// Unmaps whatever is in the heap.
    static func destroyHeap(_ heap: UnsafeMutablePointer<InterpreterHeap>) {
        unsafe heap.deinitialize(count: 1)
        unsafe RawMemory.free(heap)
    }
}
