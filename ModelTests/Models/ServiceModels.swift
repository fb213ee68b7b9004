#if ModelCheck
// The service thread: V1 to V4 of ServiceThread.swift; what it works on while others attach, stop, delete and shut
// down.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var serviceModels: [ProtocolModel] {
    [
        workForDetached, collectionForDetached, againstAttach, againstStop, underLock, orphans, deleteAgainstService,
        deleteClearedAgainstService,
        rosterGoes, againstShutdown,
    ]
}

/// A stage whose thread states' work is to merge what is handed to them.
private func inboxStage(_ model: Model, isLocked: Bool = false, isFresh: Bool = false) -> (Stage, Inbox) {
    Specification.take(.bucket, .mutex)
    let inbox = Inbox(model)
    let hooks = StageHooks(
        merge: { thread, worker in
            model.expect(
                ThreadWord.state(thread.loadWord()) == (thread == worker ? ThreadWord.attached : ThreadWord.suspended),
                "work for a thread that is neither the worker nor held")
            inbox.merge(for: thread)
        },
        clear: { thread, _ in inbox.merge(for: thread) })
    return (Stage(model, isLocked: isLocked, isFresh: isFresh, hooks: hooks), inbox)
}

nonisolated(unsafe) private let workForDetached = ProtocolModel(
    "service: work for who detaches", "what is due for a thread that is not attached is not forgotten (V4)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    let (stage, inbox) = inboxStage(model)
    inbox.owner = stage.thread("owner") { _ in }
    model.thread("deliverer") {
        inbox.deliver()
        inbox.waitUntilMerged(1)
        stage.endService()
    }
    stage.service()
}

nonisolated(unsafe) private let againstAttach = ProtocolModel(
    "service: against attach", "the owner and the service thread never both have the thread state [park] [resume]",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    let (stage, inbox) = inboxStage(model)
    let owner = stage.makeState("owner")
    inbox.owner = owner
    inbox.deliver()
    stage.thread("owner", with: owner) {
        inbox.mergeCount.pointee += 1
        Attachment.detach(owner)
        inbox.waitUntilMerged(1)
        stage.endService()
    }
    stage.service()
    stage.finally { model.expect(inbox.mergeCount.pointee == 2, "merged more than once") }
}

nonisolated(unsafe) private let againstStop = ProtocolModel(
    "service: against a stop", "a pause excludes the service thread (V1), and what it could not do it does later (V4)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    let (stage, inbox) = inboxStage(model)
    let owner = stage.makeState("owner")
    inbox.owner = owner
    inbox.deliver()
    model.thread("stopper") {
        let stopped = try! StopTheWorld.begin(stage.world, scope: stage.roster)
        inbox.mergeCount.pointee += 1
        stopped.resume()
        inbox.waitUntilMerged(1)
        stage.endService()
    }
    stage.service()
}

nonisolated(unsafe) private let collectionForDetached = ProtocolModel(
    "service: a collection is due for a detached thread", "the service thread collects, holding nobody",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 1_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let (collections, isOver) = (model.allocate(Int.self), model.allocate(Atomic<Bool>.self))
    isOver.initialize(to: Atomic(false))
    var owner: ThreadState?
    let hooks = StageHooks(collect: { thread in
        model.expect(ThreadWord.state(thread.loadWord()) == ThreadWord.attached, "a collection by who is not attached")
        model.expect(owner!.loadWord() & ThreadWord.isHeld == 0, "a collection while a thread is held")
        collections.pointee += 1
        isOver.pointee.store(true, ordering: .relaxed)
    })
    let stage = Stage(model, hooks: hooks)
    owner = stage.makeState("owner")
    stage.thread("owner", with: owner!) {
        owner!.setDue(ThreadWord.collectionDue)
        Attachment.detach(owner!)
        while !isOver.pointee.load(ordering: .relaxed) { SystemThread.yield() }
        stage.endService()
    }
    stage.service()
    stage.finally { model.expect(collections.pointee == 1, "collected \(collections.pointee) times") }
}

nonisolated(unsafe) private let underLock = ProtocolModel(
    "service: under a lock", "the service thread gets the lock from a thread that polls, and works with it held",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 1_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 100_000)]
) { model in
    let (stage, inbox) = inboxStage(model, isLocked: true)
    Specification.run(lockAt: UnsafeRawPointer(stage.lock!))
    let away = stage.makeState("away")
    inbox.owner = away
    inbox.deliver()
    stage.thread("holder") { thread in
        // What the lock protects: no other thread's merge overlaps.
        while inbox.mergeCount.pointee == 0 {
            Safepoint.poll(thread)
            SystemThread.yield()
        }
        stage.endService()
    }
    stage.service()
}

nonisolated(unsafe) private let orphans = ProtocolModel(
    "service: deferred frees of a thread that is gone", "are freed after a grace period, by the service thread",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 2_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let deferral = Deferral(model)
    let state = stage.makeState("goer")
    stage.forget(state)
    stage.thread("goer", with: state) {
        deferral.retire(by: state, byteCount: 8)
        try! Roster.clear(state, by: state)
        Roster.deleteCurrent(state)
        while !deferral.isFreed.pointee.load(ordering: .relaxed) { SystemThread.yield() }
        stage.endService()
    }
    stage.thread("reader") { _ in deferral.read(model) }
    stage.service()
    stage.finally { model.expect(deferral.freedCount.pointee == 1, "freed more than once") }
}

nonisolated(unsafe) private let deleteAgainstService = ProtocolModel(
    "service: against the deletion of an unused state",
    "a thread state that the service thread holds is not deleted under it",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0), .random(seed: 1, runs: 2_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let inbox = Inbox(model)
    let hooks = StageHooks(
        merge: { thread, _ in inbox.merge(for: thread) }, deinitialize: { inbox.merge(for: $0) })
    let stage = Stage(model, hooks: hooks)
    let unused = stage.makeState("unused")
    stage.forget(unused)
    inbox.owner = unused
    inbox.deliver()
    model.thread("deleter") {
        Roster.deleteUnused(unused)
        stage.endService()
    }
    stage.service()
    stage.finally { model.expect(inbox.mergedCount == 1, "what was handed to a thread state is lost") }
}

nonisolated(unsafe) private let deleteClearedAgainstService = ProtocolModel(
    "service: against clear and delete", "a thread state that somebody cleared is not touched once it is deleted",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 2_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let (stage, inbox) = inboxStage(model)
    let deferral = Deferral(model)
    let left = stage.makeState("left")
    stage.forget(left)
    deferral.retire(by: left, byteCount: 8)
    inbox.owner = left
    inbox.deliver()
    stage.thread("clearer") { thread in
        while true {
            do throws(ThreadStateError) {
                try Roster.clear(left, by: thread)
                break
            } catch { model.expect(false, "\(error)") }
        }
        Roster.delete(left)
        Attachment.detach(thread)
        while !deferral.isFreed.pointee.load(ordering: .relaxed) { SystemThread.yield() }
        stage.endService()
        try! Attachment.attach(thread)
    }
    stage.service()
    stage.finally {
        model.expect(inbox.mergedCount == 1, "what was handed to a thread state is lost")
        model.expect(deferral.freedCount.pointee == 1, "freed more than once")
    }
}

nonisolated(unsafe) private let rosterGoes = ProtocolModel(
    "service: an interpreter goes", "a roster that the service thread looks at is not destroyed under it (V2)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    let (stage, _) = inboxStage(model)
    let other = try! Roster.make(in: stage.world, heap: stage.roster.pointee.heap)
    ServiceSignal.request(ServiceThread.dueWork, of: stage.world.signal)
    model.thread("closer") {
        Roster.close(other)
        Roster.destroy(other)
        stage.endService()
    }
    stage.service()
}

nonisolated(unsafe) private let againstShutdown = ProtocolModel(
    "service: against shutdown",
    "work is due while interpreter and world end: nothing is touched that is gone, nobody waits for ever",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 1_500)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 100_000)]
) { model in
    let (stage, inbox) = inboxStage(model, isFresh: true)
    let left = stage.makeState("left")
    stage.forget(left)
    inbox.owner = left
    inbox.deliver()
    stage.world.pointee.service = SystemThread(stage.service())
    model.thread("closer") {
        try! Reclamation.registerReader()
        let closer = try! Roster.makeThread(in: stage.roster)
        try! Attachment.attach(closer)
        try! Roster.clear(left, by: closer)
        Roster.close(stage.roster, by: closer)
        Roster.delete(left)
        try! Roster.clear(closer, by: closer)
        Roster.deleteCurrent(closer)
        Roster.destroy(stage.roster)
        World.destroy(stage.world)
    }
    model.finally { model.expect(inbox.mergedCount == 1, "what was handed to a thread state is lost") }
}
#endif
