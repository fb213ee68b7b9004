#if ModelCheck
// Births and deaths of thread states against stops, holds and attaches, and the end of an interpreter: L1 to L6 of
// ThreadLifeCycle.swift, W5 and W10 of StopTheWorld.swift.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var threadLifeModels: [ProtocolModel] {
    [
        stopModel(
            "life: born against a stop", "who is born in a stop is born suspended, and runs when it is let go (L1)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let data = model.allocate(Int.self)
            model.thread("newcomer") {
                let thread = makeThread(world)
                let other = makeThread(world)
                model.expect(thread.pointee.identifier != other.pointee.identifier, "two of one identifier")
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel(
            "life: ends itself against a stop", "who is asked and then leaves the list tells the stop (L4, W10)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.attached("leaver", of: 0)
            let data = model.allocate(Int.self)
            model.thread("leaver") {
                world.takeOver(thread)
                data.pointee += 1
                world.endCurrent(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel(
            "life: ends itself with another, against a stop", "neighbours in the list come and go (L5)",
            smoke: [.depthFirst(preemptions: 1, staleReads: 0), .priorities(seed: 5, depth: 4, runs: 3000)],
            long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 5, depth: 5, runs: 100_000)]
        ) { model, world in
            let first = world.attached("leaver", of: 0)
            let data = model.allocate(Int.self, count: 2)
            model.thread("leaver") {
                world.takeOver(first)
                data[0] += 1
                world.endCurrent(first)
            }
            model.thread("newcomer") {
                let thread = makeThread(world)
                world.attach(thread)
                data[1] += 1
                world.endCurrent(thread)
            }
            model.thread("stopper") {
                world.stop(nil) {
                    data[0] += 1
                    data[1] += 1
                }
            }
        },
        stopModel(
            "life: cleared against a stop", "who clears another passes safepoints while a stop has it (L3)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("other", of: nil)
            thread.setDue(ThreadWord.deferredDue)
            let current = world.attached("clearer", of: 0)
            let data = model.allocate(Int.self)
            model.thread("clearer") {
                world.takeOver(current)
                do { try Roster.clear(thread, by: current) } catch { modelFailure("clear was refused: \(error)") }
                data.pointee += 1
                model.expect(thread.loadWord() & ThreadWord.dueWork == 0, "work is due for a cleared thread state")
                let owner = thread.pointee.boundThread.load(ordering: .relaxed)
                model.expect(owner == Roster.boundToNobody, "a cleared thread state is still somebody's")
                Roster.delete(thread)
                Attachment.detach(current)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel(
            "life: cleared against attach", "either it attaches and is not cleared, or it is cleared and never attaches (L3)",
            smoke: [.depthFirst(preemptions: 3, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("owner", of: 0)
            let current = world.attached("clearer", of: 1)
            let data = model.allocate(Int.self)
            model.thread("owner") {
                world.register()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    data.pointee += 1
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .cleared, "refused as \(error)")
                }
            }
            model.thread("clearer") {
                world.takeOver(current)
                do throws(ThreadStateError) {
                    try Roster.clear(thread, by: current)
                    data.pointee += 1
                    model.outcome("cleared")
                } catch {
                    model.expect(error == .stillAttached, "refused as \(error)")
                }
                Attachment.detach(current)
            }
        },
        stopModel(
            "life: cleared against attach, in a stop", "the owner, who waits for the stop's end, is not counted when it is refused",
            smoke: [.depthFirst(preemptions: 1, staleReads: 0), .priorities(seed: 7, depth: 4, runs: 3000)],
            long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 7, depth: 5, runs: 100_000)]
        ) { model, world in
            let thread = world.threadState("owner", of: 0)
            let current = world.attached("clearer", of: 1)
            model.thread("owner") {
                world.register()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .cleared, "refused as \(error)")
                }
            }
            model.thread("clearer") {
                world.takeOver(current)
                do throws(ThreadStateError) {
                    try Roster.clear(thread, by: current)
                } catch {
                    model.expect(error == .stillAttached, "refused as \(error)")
                }
                Attachment.detach(current)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) {} }
        },
        stopModel(
            "life: cleared by two", "one of them clears it (L3)", smoke: [.depthFirst(preemptions: 3, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("other", of: nil)
            let data = model.allocate(Int.self)
            for (index, name) in ["first", "second"].enumerated() {
                let current = world.attached(name, of: index)
                model.thread(name) {
                    world.takeOver(current)
                    do throws(ThreadStateError) {
                        try Roster.clear(thread, by: current)
                        data.pointee += 1
                    } catch {
                        model.expect(error == .cleared, "refused as \(error)")
                    }
                    Attachment.detach(current)
                }
            }
            model.finally { model.expect(data.pointee == 1, "cleared \(data.pointee) times") }
        },
        stopModel(
            "life: closed against attach", "who comes anew is refused, whether or not it waits for a stop's end",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            var isRefused = false
            model.invariant("refused once, refused for good") {
                let word = thread.loadWord()
                let isAttached = ThreadWord.state(word) == ThreadWord.attached
                if word & ThreadWord.isClosing != 0, !isAttached { isRefused = true }
                return !(isRefused && isAttached)
            }
            model.thread("worker") {
                world.register()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    data.pointee += 1
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .shuttingDown, "refused as \(error)")
                }
            }
            model.thread("closer") {
                world.stop(world.interpreters[0]) { data.pointee += 1 }
                Roster.close(world.interpreters[0])
                model.expect(thread.loadWord() & ThreadWord.isClosing != 0, "closed, and a thread may attach")
                world.stop(world.interpreters[0]) { data.pointee += 1 }
            }
        },
        stopModel(
            "life: closed in a stop", "who waits for the stop's end is refused before it, and is not counted then (A4)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let worker = model.thread("worker") {
                world.register()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .shuttingDown, "refused as \(error)")
                }
            }
            model.thread("closer") {
                world.stop(world.interpreters[0]) {
                    Roster.close(world.interpreters[0])
                    worker.join()
                }
            }
        },
        stopModel(
            "life: attached by two", "a thread state is one thread's, once and for all (L2)",
            smoke: [.depthFirst(preemptions: 3, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("state", of: nil)
            let data = model.allocate(Int.self)
            for name in ["first", "second"] {
                model.thread(name) {
                    world.register()
                    do throws(ThreadStateError) {
                        try Attachment.attach(thread)
                        data.pointee += 1
                        Attachment.detach(thread)
                    } catch {
                        model.expect(error == .boundToAnotherThread, "refused as \(error)")
                    }
                }
            }
            model.finally { model.expect(data.pointee == 1, "attached by \(data.pointee)") }
        },
        stopModel(
            "life: closed beside a stop", "close sees who waits, and wakes it; a stop that counts on it is not held up",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.register()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    data.pointee += 1
                    Safepoint.poll(thread)
                    data.pointee += 1
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .shuttingDown, "refused as \(error)")
                }
            }
            model.thread("closer") { Roster.close(world.interpreters[0]) }
            model.thread("stopper") {
                for _ in 0..<2 { world.stop(world.interpreters[0]) { data.pointee += 1 } }
            }
        },
        stopModel(
            "life: destroyed with its interpreter", "a roster goes when no stop counts on its last thread any more (L4)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let roster = makeRoster(world)
            let thread = makeThread(world, in: roster)
            thread.pointee.participant.word.store(ThreadWord.attached, ordering: .relaxed)
            let data = model.allocate(Int.self)
            model.thread("last") {
                world.takeOver(thread)
                Roster.close(roster, by: thread)
                data.pointee += 1
                world.endCurrent(thread)
                Roster.destroy(roster)
            }
            model.thread("stopper") { world.stop(nil) { data.pointee += 1 } }
        },
    ]
}

func makeThread(_ world: ModelWorld, in roster: Interpreter? = nil) -> ThreadState {
    do {
        return try Roster.makeThread(in: roster ?? world.interpreters[0])
    } catch {
        modelFailure("no thread state was made: \(error)")
        fatalError("\(error)")
    }
}

private func makeRoster(_ world: ModelWorld) -> Interpreter {
    do {
        return try Roster.make(in: world.world, heap: world.interpreters[0].pointee.heap)
    } catch {
        fatalError("no roster for a model: \(error)")
    }
}
#endif
