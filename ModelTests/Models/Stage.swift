#if ModelCheck
// What the models of critical sections, interpreter locks and the service thread play on: a world with one interpreter.
//
// A world and a roster hold histograms of tens of kilobytes each, which have no part in any protocol. So they are made
// once a process, and get their first bytes back before each run. Thread states are made anew.

import CStillpoint
import StillpointMemory
import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

/// What this run's thread states do at the moments that belong to the floor above.
struct StageHooks {
    var merge: (_ thread: ThreadState, _ worker: ThreadState) -> Void = { _, _ in }
    var collect: (_ thread: ThreadState) -> Void = { _ in }
    var clear: (_ thread: ThreadState, _ worker: ThreadState) -> Void = { _, _ in }
    var deinitialize: (_ thread: ThreadState) -> Void = { _ in }

    nonisolated(unsafe) static var current = StageHooks()

    static var installed: ThreadHooks {
        var hooks = ThreadHooks()
        hooks.merge = { thread, worker in
            StageHooks.current.merge(
                thread.assumingMemoryBound(to: ThreadRecord.self), worker.assumingMemoryBound(to: ThreadRecord.self))
        }
        hooks.collect = { thread, _ in
            StageHooks.current.collect(thread.assumingMemoryBound(to: ThreadRecord.self))
        }
        hooks.clear = { thread, worker in
            StageHooks.current.clear(
                thread.assumingMemoryBound(to: ThreadRecord.self), worker.assumingMemoryBound(to: ThreadRecord.self))
        }
        hooks.deinitialize = { thread in
            StageHooks.current.deinitialize(thread.assumingMemoryBound(to: ThreadRecord.self))
        }
        return hooks
    }
}

/// What is made once.
private struct Scenery {
    let world: UnsafeMutablePointer<World>
    let roster: UnsafeMutablePointer<Roster>
    let lock: UnsafeMutablePointer<InterpreterLock>?
    private let images: [MemoryImage]

    nonisolated(unsafe) static let free = Scenery(isLocked: false, isKept: true)
    nonisolated(unsafe) static let locked = Scenery(isLocked: true, isKept: true)

    /// Nobody allocates from it: it stays as it is.
    nonisolated(unsafe) static let heap = {
        let heap = UnsafeMutablePointer<InterpreterHeap>.allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap())
        return heap
    }()

    /// - Parameters:
    ///   - isLocked: whether the interpreter has a lock.
    ///   - isKept: whether it is used again, and so needs its first bytes.
    init(isLocked: Bool, isKept: Bool) {
        lock = isLocked ? try! InterpreterLock.make() : nil
        world = try! World.makeUnserved(hooks: StageHooks.installed)
        roster = try! Roster.make(in: world, heap: Self.heap, lock: lock)
        guard isKept else {
            images = []
            return
        }
        var images = [
            MemoryImage(of: world),
            MemoryImage(of: roster),
        ]
        if let lock { images.append(MemoryImage(of: lock)) }
        self.images = images
    }

    func restore() {
        for image in images { image.restore() }
    }
}

/// One run's world, interpreter and thread states.
final class Stage {
    let model: Model
    let world: UnsafeMutablePointer<World>
    let roster: UnsafeMutablePointer<Roster>
    let lock: UnsafeMutablePointer<InterpreterLock>?
    /// The thread states that are there: those that a thread of the model deletes, it takes out.
    private var states: [ThreadState] = []
    private var checks: [() -> Void] = []

    /// - Parameters:
    ///   - isLocked: whether the interpreter has a lock.
    ///   - isFresh: whether a thread of the model destroys roster and world: they are made for this run then.
    init(_ model: Model, isLocked: Bool = false, isFresh: Bool = false, hooks: StageHooks = StageHooks()) {
        self.model = model
        ModelThread.separateCurrentThread()
        StageHooks.current = hooks
        let scenery = isFresh ? Scenery(isLocked: isLocked, isKept: false) : isLocked ? .locked : .free
        scenery.restore()
        (world, roster, lock) = (scenery.world, scenery.roster, scenery.lock)
        model.name(UnsafeRawPointer(world), "the roll")
        if let lock { model.name(UnsafeRawPointer(lock), "the interpreter lock") }
        model.invariant("W1 to W5 of a word") { [unowned self] in
            states.allSatisfy { Self.isSound($0.loadWord()) }
        }
        model.invariant("A2, I14: who is not attached has entered no section") { [unowned self] in
            states.allSatisfy {
                ThreadWord.state($0.loadWord()) == ThreadWord.attached || !CriticalSection.hasEntered($0)
            }
        }
        if lock != nil {
            model.invariant("G1: one thread is attached at most") { [unowned self] in
                states.count { ThreadWord.state($0.loadWord()) == ThreadWord.attached } <= 1
            }
            model.invariant("whoever a waiter may ask to yield is listed") { [unowned self] in
                let holder = lock!.pointee.holder.load(ordering: .relaxed)
                var isListed = holder == 0
                Roster.forEachMember(of: roster) { if UInt(bitPattern: $0) == holder { isListed = true } }
                return isListed
            }
        }
        model.finally { [self] in
            for check in checks { check() }
            for state in states { Roster.deleteUnused(state) }
            (states, checks) = ([], [])
        }
    }

    /// What is looked at when all threads have ended, and their states are there still.
    func finally(_ check: @escaping () -> Void) { checks.append(check) }

    private static func isSound(_ word: UInt32) -> Bool {
        let state = ThreadWord.state(word)
        return state != 3
            && (word & ThreadWord.stopRequested == 0 || state == ThreadWord.attached)
            && (word & (ThreadWord.isWaiting | ThreadWord.isDormant) == 0 || state == ThreadWord.suspended)
            && (word & ThreadWord.isResumed == 0 || state != ThreadWord.attached)
    }

    // MARK: Thread states

    /// A thread state, detached.
    func makeState(_ name: String) -> ThreadState {
        let state = try! Roster.makeThread(in: roster)
        model.name(state.wordAddress, "\(name)'s word")
        states.append(state)
        return state
    }

    /// A thread of the model deletes this one.
    func forget(_ state: ThreadState) { states.removeAll { $0 == state } }

    /// A thread state, and a thread that attaches it, runs `body`, and detaches it.
    @discardableResult
    func thread(_ name: String, _ body: @escaping (ThreadState) -> Void) -> ThreadState {
        let state = makeState(name)
        thread(name, with: state) {
            body(state)
            Attachment.detach(state)
        }
        return state
    }

    /// A thread that attaches `state` and runs `body`, which detaches or deletes it.
    func thread(_ name: String, with state: ThreadState, _ body: @escaping () -> Void) {
        let thread = model.thread(name) {
            try! Reclamation.registerReader()
            try! Attachment.attach(state)
            body()
        }
        // Bound, so that the attach is the short one.
        state.pointee.boundThread.store(UInt(thread.index) + 1, ordering: .relaxed)
    }

    /// The world's service thread.
    @discardableResult
    func service() -> ModelThread {
        model.thread("service") { [self] in
            try! Reclamation.registerReader()
            ServiceThread.run(world)
        }
    }

    /// Ends the service thread.
    func endService() { ServiceSignal.request(ServiceThread.end, of: world.signal) }

    /// A thread without a thread state that stops the interpreter once.
    func stopper(_ pause: @escaping () -> Void) {
        model.thread("stopper") { [self] in
            let stopped = try! StopTheWorld.begin(world, scope: roster)
            for state in states {
                model.expect(
                    ThreadWord.state(state.loadWord()) == ThreadWord.suspended,
                    "W4: a thread is not suspended")
                model.expect(!CriticalSection.hasEntered(state), "W14: a suspended thread has entered a section")
            }
            pause()
            stopped.resume()
        }
    }

    // MARK: Objects

    /// Headers without objects, each with its lock free, and a number that only its lock protects.
    func makeObjects(_ count: Int) -> [ModelObject] {
        (0..<count).map { index in
            let header = model.allocate(InlineArray<2, UInt64>.self)
            let object = ModelObject(header: header, count: model.allocate(Int.self))
            model.name(object.lockWord, "lock of object \(index)")
            return object
        }
    }

    /// A root that names an object.
    func slot(_ object: ModelObject) -> ObjectSlot {
        let slot = model.allocate(UnsafeMutableRawPointer?.self)
        slot.pointee = UnsafeMutableRawPointer(object.header)
        return slot
    }
}

/// The header of an object, and what its lock protects.
struct ModelObject {
    let header: UnsafeMutableRawPointer
    let count: UnsafeMutablePointer<Int>

    init(header: UnsafeMutableRawPointer, count: UnsafeMutablePointer<Int>) {
        self.header = header
        self.count = count
    }

    var lockWord: UnsafePointer<Atomic<UInt32>> {
        UnsafePointer((header + 12).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// Locked (1), threads are parked (2).
    var lockBits: UInt32 { lockWord.pointee.load(ordering: .relaxed) >> 24 & 3 }

    /// By the holder of its lock.
    func increment() { count.pointee = count.pointee + 1 }
}
#endif
