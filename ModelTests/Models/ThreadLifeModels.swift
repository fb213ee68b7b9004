#if ModelCheck
// Births and deaths of thread states against stops, holds and attaches, and the end of an interpreter: L1 to L6 of
// ThreadLifeCycle.swift, W5 and W10 of StopTheWorld.swift.

import CStillpoint
import StillpointMemory
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
            let current = world.attached("clearer", of: 0)
            let data = model.allocate(Int.self)
            model.thread("clearer") {
                world.takeOver(current)
                do { try Roster.clear(thread, by: current) } catch { modelFailure("clear was refused: \(error)") }
                data.pointee += 1
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
                Reclamation.registerReader()
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
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("owner", of: 0)
            let current = world.attached("clearer", of: 1)
            model.thread("owner") {
                Reclamation.registerReader()
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
            "life: closed against attach", "who comes anew is refused, whether or not it waits for a stop's end",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                Reclamation.registerReader()
                do throws(ThreadStateError) {
                    try Attachment.attach(thread)
                    data.pointee += 1
                    Attachment.detach(thread)
                } catch {
                    model.expect(error == .shuttingDown, "refused as \(error)")
                }
            }
            model.thread("closer") {
                world.stop(world.interpreters[0]) {
                    Roster.close(world.interpreters[0])
                    data.pointee += 1
                }
                world.stop(world.interpreters[0]) { data.pointee += 1 }
            }
        },
        stopModel(
            "life: closed beside a stop", "close sees who waits, and wakes it; a stop that counts on it is not held up",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                Reclamation.registerReader()
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
        stopModel(
            "life: deleted unused, against a hold", "a record that somebody works on is not freed",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let roster = world.interpreters[0]
            let thread = world.threadState("unused", of: nil)
            thread.pointee.participant.word.store(ThreadWord.mergeDue, ordering: .relaxed)
            let holder = world.attached("holder", of: 0)
            model.thread("holder") {
                world.takeOver(holder)
                // As the service thread finds its work.
                var found: ThreadState?
                world.world.pointee.roll.withLock {
                    Roster.forEachMember(of: roster) { thread in
                        guard thread.loadWord() & ThreadWord.dueWork != 0 else { return }
                        if HeldThread.takeListed(thread) { found = thread }
                    }
                }
                if let found {
                    _ = found.takeDue(ThreadWord.mergeDue)
                    HeldThread.letGo(found)
                }
                Attachment.detach(holder)
            }
            model.thread("deleter") { Roster.deleteUnused(thread) }
        },
        stopModel(
            "life: deleted unused, by an attached thread", "who deletes does not wait for a stop that waits for it",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("unused", of: nil)
            let current = world.attached("deleter", of: 0)
            model.thread("deleter") {
                world.takeOver(current)
                Roster.deleteUnused(thread)
                Attachment.detach(current)
            }
            model.thread("stopper") { world.stop(nil) {} }
        },
        handedModel("life: handed counts against a pause", publish: true),
    ]
}

/// A thread of interpreter A is made; another hands counts to whoever may be handed some, and a pause takes all that was handed
/// to the listed threads: it must miss none (L6).
func handedModel(_ name: String, publish: Bool) -> ProtocolModel {
    var hooks = ThreadHooks()
    hooks.recordByteCount = Handed.offset + MemoryLayout<Handed>.stride
    if publish {
        hooks.publish = { Handed.reachable($0) }
    } else {
        hooks.initialize = { Handed.reachable($0); return true }
    }
    hooks.deinitialize = { Handed.unreachable($0) }
    return stopModel(
        name, "what was handed to a thread state before a pause, the pause finds (L6)", hooks: hooks,
        smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
    ) { model, world in
        let current = world.attached("giver", of: 0)
        Handed.reset()
        model.thread("giver") {
            world.takeOver(current)
            Handed.give()
            Attachment.detach(current)
        }
        model.thread("maker") { Roster.deleteUnused(makeThread(world)) }
        model.thread("stopper") {
            world.stop(world.interpreters[0]) {
                var found = 0
                Roster.forEachThread(of: world.interpreters[0]) { found += Handed.of($0).pointee.count }
                let expected = Handed.outstanding
                model.expect(found == expected, "L6: \(expected) handed, \(found) found in the pause")
            }
        }
    }
}

/// What others hand to a thread state: behind floor 4's part of its record.
private struct Handed {
    var count = 0

    static let offset = (MemoryLayout<ThreadRecord>.size + 15) & ~15
    /// Who may be handed something, and how much is handed and not taken. In a runtime a table with locks of its own; here
    /// guarded by a lock as specified.
    nonisolated(unsafe) private static var receiver: UnsafeMutablePointer<Handed>?
    nonisolated(unsafe) private static var handedCount = 0

    static func reset() { (receiver, handedCount) = (nil, 0) }

    static func of(_ thread: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Handed> {
        (thread + offset).assumingMemoryBound(to: Handed.self)
    }

    static func reachable(_ thread: UnsafeMutableRawPointer) {
        of(thread).initialize(to: Handed())
        if ModelThread.currentIndex != nil { locked { receiver = of(thread) } }
    }

    /// What is left in it is lost to nobody: its count is merged.
    static func unreachable(_ thread: UnsafeMutableRawPointer) {
        locked {
            if receiver == of(thread) { receiver = nil }
            handedCount -= of(thread).pointee.count
        }
    }

    static func give() {
        locked {
            guard let receiver else { return }
            receiver.pointee.count += 1
            handedCount += 1
        }
    }

    static var outstanding: Int { locked { handedCount } }

    private static func locked<Result>(_ body: () -> Result) -> Result {
        let key = UnsafeRawPointer(bitPattern: 8)!
        ModelLock.lock(at: key)
        defer { ModelLock.unlock(at: key) }
        return body()
    }
}

private func makeThread(_ world: ModelWorld, in roster: Interpreter? = nil) -> ThreadState {
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
