#if ModelCheck
// Interpreter locks: G1 and G2 of InterpreterLock.swift, A5 of Attachment.swift. The lock's mutex is run, not
// specified: its hand-off is what G2 stands on.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var interpreterLockModels: [ProtocolModel] {
    [
        takeTurns, handsOverWhenAsked, twoWaiters, lockAgainstStop, stopByHolder, holderGoes, sectionsUnderLock,
        deletionUnderLock,
        deletionAgainstHolder,
    ]
}

/// A stage whose interpreter has a lock, and a number that the lock protects.
private func lockedStage(_ model: Model, hooks: StageHooks = StageHooks()) -> (Stage, UnsafeMutablePointer<Int>) {
    Specification.take(.bucket, .mutex)
    let stage = Stage(model, isLocked: true, hooks: hooks)
    Specification.run(lockAt: UnsafeRawPointer(stage.lock!))
    return (stage, model.allocate(Int.self))
}

nonisolated(unsafe) private let takeTurns = ProtocolModel(
    "interpreter lock: two threads", "one is attached at a time (G1, A5), and sees what the last one wrote [lock]",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    let (stage, count) = lockedStage(model)
    for name in ["first", "second"] {
        stage.thread(name) { thread in
            count.pointee += 1
            Attachment.detach(thread)
            try! Attachment.attach(thread)
            count.pointee += 1
        }
    }
    model.finally { model.expect(count.pointee == 4, "what a holder wrote is lost") }
}

/// A thread that holds the lock polls until `waiters` others have had it. If it was asked before a poll, it was not
/// itself that had the lock next.
private func handOver(_ model: Model, waiters: Int) {
    let (stage, turns) = lockedStage(model)
    let start = MonotonicClock.nanoseconds()
    // Detached, the thread would let the lock go without being asked.
    stage.thread("holder") { thread in
        while turns.pointee < waiters {
            let isAsked = thread.loadWord() & ThreadWord.yieldDue != 0
            let before = turns.pointee
            Safepoint.poll(thread)
            // With more than one, who asked may have had the lock before the bit is seen. One whose second interval
            // ends meanwhile is not queued; it asks again.
            let end = start + 2 * InterpreterLock.switchIntervalNanoseconds
            if isAsked, waiters == 1, MonotonicClock.nanoseconds() < end {
                model.expect(turns.pointee > before, "G2: the holder was asked to yield, and has the lock again")
            }
            SystemThread.yield()
        }
    }
    for index in 0..<waiters {
        stage.thread("waiter \(index)") { _ in turns.pointee += 1 }
    }
}

nonisolated(unsafe) private let handsOverWhenAsked = ProtocolModel(
    "interpreter lock: a holder that polls is asked to yield",
    "who waits gets the lock at the holder's next safepoint after it asked (G2)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { handOver($0, waiters: 1) }

nonisolated(unsafe) private let twoWaiters = ProtocolModel(
    "interpreter lock: two wait", "each of them gets the lock (G2)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 5, runs: 200_000)]
) { handOver($0, waiters: 2) }

nonisolated(unsafe) private let lockAgainstStop = ProtocolModel(
    "interpreter lock: against a stop",
    "a stop by a thread without a state ends while others wait for the lock (A5, W12)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 4_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    let (stage, count) = lockedStage(model)
    for name in ["first", "second"] {
        stage.thread(name) { thread in
            count.pointee += 1
            Safepoint.poll(thread)
            count.pointee += 1
        }
    }
    stage.stopper { count.pointee += 1 }
    model.finally { model.expect(count.pointee == 5, "what a holder wrote is lost") }
}

nonisolated(unsafe) private let stopByHolder = ProtocolModel(
    "interpreter lock: a stop by its holder", "whoever holds the lock need stop nobody, and nobody runs in its pause",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let (stage, count) = lockedStage(model)
    for name in ["first", "second"] {
        stage.thread(name) { thread in
            let stopped = try! StopTheWorld.begin(stage.world, scope: stage.roster)
            count.pointee += 1
            stopped.resume()
        }
    }
    model.finally { model.expect(count.pointee == 2, "what a holder wrote is lost") }
}

nonisolated(unsafe) private let holderGoes = ProtocolModel(
    "interpreter lock: its holder is deleted", "who asks the holder to yield finds its record, or none",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    let (stage, count) = lockedStage(model)
    let state = stage.makeState("goer")
    stage.forget(state)
    stage.thread("goer", with: state) {
        count.pointee += 1
        try! Roster.clear(state, by: state)
        Roster.deleteCurrent(state)
    }
    stage.thread("waiter") { _ in count.pointee += 1 }
    model.finally { model.expect(count.pointee == 2, "what a holder wrote is lost") }
}

nonisolated(unsafe) private let deletionUnderLock = ProtocolModel(
    "interpreter lock: a thread state ends", "what its end does to objects, it does with the lock held (A5)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
) { model in
    let objects = model.allocate(Int.self)
    let hooks = StageHooks(
        clear: { _, _ in objects.pointee += 1 }, deinitialize: { _ in objects.pointee += 1 })
    let (stage, _) = lockedStage(model, hooks: hooks)
    let state = stage.makeState("goer")
    stage.forget(state)
    stage.thread("goer", with: state) {
        try! Roster.clear(state, by: state)
        Roster.deleteCurrent(state)
    }
    stage.thread("other") { _ in objects.pointee += 1 }
}

nonisolated(unsafe) private let sectionsUnderLock = ProtocolModel(
    "interpreter lock: sections of objects",
    "who waits for an object holds neither another nor the interpreter's lock (C1, A5)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let (stage, _) = lockedStage(model)
    let object = stage.makeObjects(1)[0]
    for name in ["first", "second"] {
        let slot = stage.slot(object)
        stage.thread(name) { thread in
            CriticalSection.with(thread, slot) {
                object.increment()
                thread.setDue(ThreadWord.yieldDue)
                Safepoint.poll(thread)
                object.increment()
            }
        }
    }
    model.finally {
        model.expect(object.count.pointee == 4, "a section's work is lost")
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let deletionAgainstHolder = ProtocolModel(
    "interpreter lock: an unused state deleted in a pause by the holder",
    "what was handed to an unused thread state is not merged while the lock's holder has the interpreter for itself",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    let objects = model.allocate(Int.self)
    let (stage, _) = lockedStage(model, hooks: StageHooks(deinitialize: { _ in objects.pointee += 1 }))
    let unused = stage.makeState("unused")
    stage.forget(unused)
    stage.thread("holder") { thread in
        let stopped = try! StopTheWorld.begin(stage.world, scope: stage.roster)
        objects.pointee += 1
        stopped.resume()
    }
    model.thread("deleter") { Roster.deleteUnused(unused) }
}
#endif
