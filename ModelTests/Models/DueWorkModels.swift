#if ModelCheck
// Due work: P1 to P3 of Safepoint.swift, [due], and quiescent states announced at safepoints.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var dueWorkModels: [ProtocolModel] {
    [dueToAttached, dueTwice, safepointInSafepoint, announcesQuiescence, deferredFree, hardLimit]
}

/// Numbers that others hand to a thread state, as floor 5 hands counts: the sum under a lock, then the bit.
final class Inbox {
    private let lock: UnsafeMutablePointer<ParkingMutex>
    private let waiting: UnsafeMutablePointer<Int>
    private let merged: UnsafeMutablePointer<Int>
    /// How often there was something to merge. By who has the right to the thread state.
    let mergeCount: UnsafeMutablePointer<Int>
    /// Whose it is. Set by the set-up.
    var owner: ThreadState?

    init(_ model: Model) {
        lock = model.allocate(ParkingMutex.self)
        lock.initialize(to: ParkingMutex())
        waiting = model.allocate(Int.self)
        merged = model.allocate(Int.self)
        mergeCount = model.allocate(Int.self)
        model.name(lock, "the inbox's lock")
    }

    /// Hands one over. Whoever finds the inbox empty tells the thread state; and the service thread, if it is away.
    func deliver() {
        let thread = owner!
        var mustRequest = false
        lock.pointee.withLock {
            let wasEmpty = waiting.pointee == 0
            waiting.pointee += 1
            if wasEmpty {
                let word = thread.pointee.participant.word.bitwiseOr(
                    ThreadWord.mergeDue, ordering: .acquiringAndReleasing
                ).oldValue
                mustRequest = ThreadWord.state(word) != ThreadWord.attached
            }
        }
        if mustRequest { ServiceSignal.request(ServiceThread.dueWork, of: thread.pointee.world.signal) }
    }

    func merge(for thread: ThreadState) {
        guard thread == owner else { return }
        let count = lock.pointee.withLock {
            defer { waiting.pointee = 0 }
            merged.pointee += waiting.pointee
            return waiting.pointee
        }
        if count > 0 { mergeCount.pointee += 1 }
    }

    /// How many have been handed over and merged.
    var mergedCount: Int { lock.pointee.withLock { merged.pointee } }

    func waitUntilMerged(_ count: Int) {
        while mergedCount < count { SystemThread.yield() }
    }
}

nonisolated(unsafe) private let dueToAttached = ProtocolModel(
    "due work: handed to an attached thread",
    "who sets the bit wrote before what the safepoint that clears it reads [due]",
    smoke: [.sleepSets(staleReads: 2), .depthFirst(preemptions: 3, staleReads: 2)]
) { model in
    Specification.take(.bucket, .mutex)
    let message = model.allocate(Int.self)
    let (merges, collections) = (model.allocate(Int.self), model.allocate(Int.self))
    let hooks = StageHooks(
        merge: { thread, worker in
            model.expect(thread == worker, "an attached thread's work done by another")
            model.expect(message.pointee == 1, "[due]: what was written before the bit was set is not there")
            merges.pointee += 1
        },
        collect: { _ in
            model.expect(message.pointee == 1, "[due]: what was written before the bit was set is not there")
            collections.pointee += 1
        })
    let stage = Stage(model, hooks: hooks)
    let state = stage.thread("owner") { thread in
        while merges.pointee == 0 || collections.pointee == 0 {
            Safepoint.poll(thread)
            SystemThread.yield()
        }
        for _ in 0..<2 { Safepoint.poll(thread) }
    }
    model.thread("setter") {
        message.pointee = 1
        state.setDue(ThreadWord.mergeDue | ThreadWord.collectionDue)
    }
    stage.finally {
        model.expect(merges.pointee == 1 && collections.pointee == 1, "work done that was not due")
        model.expect(state.loadWord() & ThreadWord.dueWork == 0, "a bit stands though its work is done")
    }
}

nonisolated(unsafe) private let dueTwice = ProtocolModel(
    "due work: comes while it is done", "a bit is cleared before its work begins, so what comes meanwhile is seen (P3)",
    smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let inbox = Inbox(model)
    let stage = Stage(model, hooks: StageHooks(merge: { thread, _ in inbox.merge(for: thread) }))
    inbox.owner = stage.thread("owner") { thread in
        while inbox.mergedCount < 2 {
            Safepoint.poll(thread)
            SystemThread.yield()
        }
    }
    for name in ["first", "second"] { model.thread(name) { inbox.deliver() } }
}

nonisolated(unsafe) private let safepointInSafepoint = ProtocolModel(
    "due work: a safepoint inside a safepoint",
    "only suspends (P2), and inside a stop of the same thread does nothing (P1)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let (depth, merges) = (model.allocate(Int.self), model.allocate(Int.self))
    let hooks = StageHooks(merge: { thread, _ in
        merges.pointee += 1
        depth.pointee += 1
        model.expect(depth.pointee == 1, "P2: due work inside due work")
        thread.setDue(ThreadWord.mergeDue)
        Safepoint.poll(thread)
        depth.pointee -= 1
    })
    let stage = Stage(model, hooks: hooks)
    stage.thread("owner") { thread in
        thread.setDue(ThreadWord.mergeDue)
        Safepoint.poll(thread)
        let stopped = try! StopTheWorld.begin(stage.world, scope: stage.roster)
        Safepoint.poll(thread)
        model.expect(merges.pointee == 1, "P1: due work inside a stop")
        stopped.resume()
        Safepoint.poll(thread)
        model.expect(merges.pointee == 2, "due work is not done")
    }
    stage.stopper { model.expect(merges.pointee <= 2, "more was merged than was due") }
}

nonisolated(unsafe) private let announcesQuiescence = ProtocolModel(
    "due work: a grace period waits for a safepoint", "a polling thread announces a quiescent state when it is wanted",
    smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let table = model.allocate(Int.self)
    let isCurrent = model.allocate(Atomic<Bool>.self)
    isCurrent.initialize(to: Atomic(true))
    let isOver = model.allocate(Atomic<Bool>.self)
    isOver.initialize(to: Atomic(false))
    stage.thread("reader") { thread in
        while !isOver.pointee.load(ordering: .relaxed) {
            if isCurrent.pointee.load(ordering: .acquiring) {
                model.expect(table.pointee == 0, "a reader looks into what is free already")
            }
            Safepoint.poll(thread)
            SystemThread.yield()
        }
    }
    model.thread("writer") {
        try! Reclamation.registerReader()
        isCurrent.pointee.store(false, ordering: .relaxed)
        Reclamation.synchronize()
        table.pointee = 1
        isOver.pointee.store(true, ordering: .relaxed)
    }
}

/// A block that a thread defers the free of while another may read it.
final class Deferral {
    let block: UnsafeMutablePointer<Int>
    let place: UnsafeMutablePointer<Atomic<UInt>>
    /// By who frees.
    let freedCount: UnsafeMutablePointer<Int>
    let isFreed: UnsafeMutablePointer<Atomic<Bool>>
    nonisolated(unsafe) static var current: Deferral?

    init(_ model: Model) {
        block = model.allocate(Int.self)
        place = model.allocate(Atomic<UInt>.self)
        place.initialize(to: Atomic(UInt(bitPattern: block)))
        freedCount = model.allocate(Int.self)
        isFreed = model.allocate(Atomic<Bool>.self)
        isFreed.initialize(to: Atomic(false))
        Self.current = self
    }

    func read(_ model: Model) {
        guard let found = UnsafePointer<Int>(bitPattern: place.pointee.load(ordering: .acquiring)) else { return }
        model.expect(found.pointee == 0, "a block is read that was freed")
    }

    func retire(by thread: ThreadState, byteCount: Int) {
        place.pointee.store(0, ordering: .releasing)
        try! thread.deferFree(of: block, byteCount: byteCount) { block, _ in
            ModelMemory.freed(at: block, byteCount: 8)
            Deferral.current!.freedCount.pointee += 1
            Deferral.current!.isFreed.pointee.store(true, ordering: .relaxed)
        }
    }
}

nonisolated(unsafe) private let deferredFree = ProtocolModel(
    "due work: a deferred free",
    "the service thread runs a grace period and tells the owner, which frees what nobody reads",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let deferral = Deferral(model)
    stage.thread("owner") { thread in
        deferral.retire(by: thread, byteCount: 8)
        while deferral.freedCount.pointee == 0 {
            Safepoint.poll(thread)
            SystemThread.yield()
        }
        stage.endService()
    }
    stage.thread("reader") { thread in
        deferral.read(model)
        Safepoint.poll(thread)
        deferral.read(model)
    }
    stage.service()
}

nonisolated(unsafe) private let hardLimit = ProtocolModel(
    "due work: deferred past the hard limit", "the owner's safepoint waits, detached, for a grace period, and frees",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let deferral = Deferral(model)
    stage.thread("owner") { thread in
        deferral.retire(by: thread, byteCount: DeferredQueue.hardLimitByteCount + 1)
        Safepoint.poll(thread)
        model.expect(deferral.freedCount.pointee == 1, "past the hard limit, and not freed at the safepoint")
    }
    stage.thread("reader") { thread in
        deferral.read(model)
        Safepoint.poll(thread)
        deferral.read(model)
    }
}
#endif
