#if ModelCheck
// Thread states come and go: L1 to L6 of ThreadLifeCycle.swift, and the end of a roster, beside other threads than
// stoppers.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var lifeCycleModels: [ProtocolModel] {
    [
        twoMakers, boundOnce, clearAgainstAttach, clearAgainstBind, twoClearers, closeAgainstWaiter, deleteWhileAsked,
        deleteAgainstStop, deleteAgainstStopOfAll, makeAgainstClose, destroyAgainstStop, awayOfCaller,
    ]
}

nonisolated(unsafe) private let twoMakers = ProtocolModel(
    "life cycle: two make thread states", "identifiers are given once, and the list has both (L5)",
    smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let made = model.allocate(ThreadState?.self, count: 2)
    for index in 0..<2 {
        model.thread("maker \(index)") { made[index] = try! Roster.makeThread(in: stage.roster) }
    }
    model.finally {
        model.expect(made[0]!.pointee.identifier != made[1]!.pointee.identifier, "one identifier for two thread states")
        model.expect(stage.roster.pointee.threadCount == 2, "a thread state is not counted")
        Roster.deleteUnused(made[0]!)
        Roster.deleteUnused(made[1]!)
    }
}

nonisolated(unsafe) private let boundOnce = ProtocolModel(
    "life cycle: two attach one thread state", "it is bound to one of them (L2)",
    smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let state = stage.makeState("state")
    let winners = model.allocate(Atomic<Int>.self)
    winners.initialize(to: Atomic(0))
    for name in ["first", "second"] {
        model.thread(name) {
            do throws(ThreadStateError) {
                try Attachment.attach(state)
                winners.pointee.wrappingAdd(1, ordering: .relaxed)
                Attachment.detach(state)
            } catch {
                model.expect(error == .boundToAnotherThread, "\(error)")
            }
        }
    }
    model.finally { model.expect(winners.pointee.load(ordering: .relaxed) == 1, "L2: bound to two threads") }
}

/// One clears a thread state that its owner attaches.
private func clear(_ model: Model, isBound: Bool) {
    Specification.take(.bucket, .mutex)
    let own = model.allocate(Int.self)
    let stage = Stage(
        model,
        hooks: StageHooks(
            merge: { _, _ in model.expect(false, "work for a thread state that was cleared") },
            clear: { _, _ in own.pointee += 1 }))
    let state = stage.makeState("owner")
    let owner = model.thread("owner") {
        if isBound { try! Reclamation.registerReader() }
        do throws(ThreadStateError) {
            try Attachment.attach(state)
            model.expect(!state.pointee.isCleared, "attached though it is cleared")
            own.pointee += 1
            Attachment.detach(state)
            model.outcome("attached")
        } catch {
            model.expect(error == .cleared, "\(error)")
            model.outcome("cleared before")
        }
    }
    if isBound { state.pointee.boundThread.store(UInt(owner.index) + 1, ordering: .relaxed) }
    state.setDue(ThreadWord.mergeDue)
    stage.thread("clearer") { thread in
        do throws(ThreadStateError) {
            try Roster.clear(state, by: thread)
            model.expect(state.loadWord() & ThreadWord.dueWork == 0, "a cleared thread state has work due")
        } catch {
            model.expect(error == .stillAttached, "\(error)")
            return
        }
        do throws(ThreadStateError) {
            try Roster.bind(state)
            model.expect(false, "bound though it is cleared")
        } catch { model.expect(error == .cleared, "whose it was, when it is nobody's: \(error)") }
    }
}

nonisolated(unsafe) private let clearAgainstAttach = ProtocolModel(
    "life cycle: clear against attach",
    "the owner attaches before or never again, and what is emptied is not in use (L3)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { clear($0, isBound: true) }

nonisolated(unsafe) private let clearAgainstBind = ProtocolModel(
    "life cycle: clear against the first attach", "who comes too late hears that the thread state is cleared",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { clear($0, isBound: false) }

nonisolated(unsafe) private let twoClearers = ProtocolModel(
    "life cycle: two clear one thread state", "one of them does, and the other hears of it",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let clears = model.allocate(Int.self)
    let stage = Stage(model, hooks: StageHooks(clear: { _, _ in clears.pointee += 1 }))
    let state = stage.makeState("left")
    for name in ["first", "second"] {
        stage.thread(name) { thread in
            do throws(ThreadStateError) { try Roster.clear(state, by: thread) } catch {
                model.expect(error == .cleared, "\(error)")
            }
        }
    }
    model.finally { model.expect(clears.pointee == 1, "cleared twice") }
}

nonisolated(unsafe) private let closeAgainstWaiter = ProtocolModel(
    "life cycle: close against who waits to attach", "the interpreter's end wakes who waits in a stop, and refuses it",
    smoke: [.random(seed: 1, runs: 500), .depthFirst(preemptions: 2, staleReads: 1)],
    long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let state = stage.makeState("waiter")
    let isThrough = model.allocate(Atomic<Bool>.self)
    isThrough.initialize(to: Atomic(false))
    model.thread("waiter") {
        do throws(ThreadStateError) {
            try Attachment.attach(state)
            Attachment.detach(state)
        } catch { model.expect(error == .shuttingDown, "\(error)") }
        isThrough.pointee.store(true, ordering: .relaxed)
    }
    model.thread("closer") { Roster.close(stage.roster) }
    stage.stopper {
        // The waiter does not need the end of the stop to hear that the interpreter is closed.
        while !isThrough.pointee.load(ordering: .relaxed) { SystemThread.yield() }
    }
}

nonisolated(unsafe) private let deleteWhileAsked = ProtocolModel(
    "life cycle: a thread that a stop has asked deletes an unused state",
    "does not wait for the stop that waits for it",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let merged = model.allocate(Int.self)
    let stage = Stage(model, hooks: StageHooks(deinitialize: { _ in merged.pointee += 1 }))
    stage.thread("deleter") { thread in
        let unused = try! Roster.makeThread(in: stage.roster)
        do throws(ThreadStateError) { try Attachment.attach(unused) } catch {
            model.expect(error == .alreadyAttached, "\(error)")
        }
        Roster.deleteUnused(unused)
    }
    model.thread("stopper") {
        let stopped = try! StopTheWorld.begin(stage.world, scope: nil)
        merged.pointee += 1
        stopped.resume()
    }
}

/// A thread without a state deletes an unused one while another stops; what its end merges is not merged in the pause.
private func deleteUnused(_ model: Model, whileAllStopped ofAll: Bool) {
    Specification.take(.bucket, .mutex)
    let merged = model.allocate(Int.self)
    let stage = Stage(model, hooks: StageHooks(deinitialize: { _ in merged.pointee += 1 }))
    let unused = stage.makeState("unused")
    stage.forget(unused)
    model.thread("deleter") { Roster.deleteUnused(unused) }
    model.thread("stopper") {
        let stopped = try! StopTheWorld.begin(stage.world, scope: ofAll ? nil : stage.roster)
        merged.pointee += 1
        stopped.resume()
    }
}

nonisolated(unsafe) private let deleteAgainstStop = ProtocolModel(
    "life cycle: an unused state deleted against a stop", "what was handed to it is not merged in the pause",
    smoke: [.depthFirst(preemptions: 3, staleReads: 1)]
) { deleteUnused($0, whileAllStopped: false) }

nonisolated(unsafe) private let deleteAgainstStopOfAll = ProtocolModel(
    "life cycle: an unused state deleted against a stop of all", "what was handed to it is not merged in the pause",
    smoke: [.depthFirst(preemptions: 3, staleReads: 1)]
) { deleteUnused($0, whileAllStopped: true) }

nonisolated(unsafe) private let makeAgainstClose = ProtocolModel(
    "life cycle: made against the interpreter's end",
    "who comes after `close` is refused, and who came before is let attach no more",
    smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let isClosed = model.allocate(Atomic<Bool>.self)
    isClosed.initialize(to: Atomic(false))
    model.thread("maker") {
        let cameLate = isClosed.pointee.load(ordering: .acquiring)
        do throws(ThreadStateError) {
            let state = try Roster.makeThread(in: stage.roster)
            defer { Roster.deleteUnused(state) }
            model.expect(!cameLate, "a thread state made in an interpreter that is closed")
            while !isClosed.pointee.load(ordering: .relaxed) { SystemThread.yield() }
            try Attachment.attach(state)
            model.expect(false, "attached though the interpreter is closed")
        } catch { model.expect(error == .shuttingDown, "\(error)") }
    }
    model.thread("closer") {
        Roster.close(stage.roster)
        isClosed.pointee.store(true, ordering: .releasing)
    }
}

nonisolated(unsafe) private let destroyAgainstStop = ProtocolModel(
    "life cycle: an interpreter destroyed against its stops",
    "a roster that a stop is over, or waits for, is not destroyed under it",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let other = try! Roster.make(in: stage.world, heap: stage.roster.pointee.heap)
    Roster.close(other)
    let hasBegun = model.allocate(Atomic<Bool>.self)
    hasBegun.initialize(to: Atomic(false))
    model.thread("first") {
        let stopped = try! StopTheWorld.begin(stage.world, scope: other)
        // Until the second waits for its turn, if it has not had it.
        while !hasBegun.pointee.load(ordering: .relaxed),
            !stage.world.pointee.roll.withLock({ StopTheWorld.isRequested(other) })
        {
            SystemThread.yield()
        }
        let closer = ModelThread.start(name: "closer") { Roster.destroy(other) }
        stopped.resume()
        closer.join()
    }
    model.thread("second") {
        let stopped = try! StopTheWorld.begin(stage.world, scope: other)
        hasBegun.pointee.store(true, ordering: .relaxed)
        stopped.resume()
    }
}

nonisolated(unsafe) private let awayOfCaller = ProtocolModel(
    "life cycle: away", "a thread finds its own thread state that is away, whatever others do",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    for name in ["first", "second"] {
        stage.thread(name) { thread in
            model.expect(!Roster.hasAwayThreadOfCaller(stage.roster), "away before it went")
            thread.setAway(true)
            Attachment.detach(thread)
            model.expect(Roster.hasAwayThreadOfCaller(stage.roster), "a thread state of the caller's is away")
            try! Attachment.attach(thread)
            thread.setAway(false)
            model.expect(!Roster.hasAwayThreadOfCaller(stage.roster), "away after it came back")
        }
    }
}
#endif
