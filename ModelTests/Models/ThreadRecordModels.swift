#if ModelCheck
// Thread states that are deleted though they were never attached, and what others hand to a thread state: L6 of
// ThreadLifeCycle.swift, H3 of HeldThread.swift, against stops and holds.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var threadRecordModels: [ProtocolModel] {
    [
        heldModel("life: deleted unused, against a hold", isDormant: false),
        heldModel("life: deleted unused and dormant, against a hold", isDormant: true),
        stopModel(
            "life: deleted unused, against a pause", "what is merged for it, is not merged in a pause (L6)", hooks: Handed.hooks,
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.threadState("unused", of: nil)
            Handed.reset()
            Handed.reachable(thread)
            Handed.give(to: thread)
            model.thread("deleter") { Roster.deleteUnused(thread) }
            model.thread("stopper") { Handed.pause(world, model) }
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
        handedModel("life: handed counts, in the order of old", publish: false),
    ]
}

/// A thread state is deleted while a thread that found it under the roll may work on it.
private func heldModel(_ name: String, isDormant: Bool) -> ProtocolModel {
    stopModel(
        name, "a record that somebody works on is not freed (H3)", smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
    ) { model, world in
        let roster = world.interpreters[0]
        let thread = world.threadState("unused", of: nil)
        if isDormant { world.stop(roster) {} }
        thread.setDue(ThreadWord.mergeDue)
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
    }
}

/// A thread of interpreter A is made; another hands counts to whoever may be handed some, and a pause takes all that was handed
/// to the listed threads: it must miss none (L6).
func handedModel(_ name: String, publish: Bool) -> ProtocolModel {
    var hooks = Handed.hooks
    if !publish {
        hooks.publish = nil
        hooks.initialize = { Handed.reachable($0); return true }
    }
    return stopModel(
        name, "what was handed to a thread state before a pause, the pause finds (L6)",
        failsBy: publish ? nil : "handed, 0 found in the pause", hooks: hooks,
        smoke: publish
            ? [.depthFirst(preemptions: 1, staleReads: 0), .priorities(seed: 6, depth: 4, runs: 3000)]
            : [.depthFirst(preemptions: 2, staleReads: 0)],
        long: publish ? [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 6, depth: 5, runs: 100_000)] : []
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
            Handed.pause(world, model)
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

    static var hooks: ThreadHooks {
        var hooks = ThreadHooks()
        hooks.recordByteCount = offset + MemoryLayout<Handed>.stride
        hooks.publish = { Handed.reachable($0) }
        hooks.deinitialize = { Handed.unreachable($0) }
        return hooks
    }

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

    static func give(to thread: ThreadState) {
        locked {
            of(thread).pointee.count += 1
            handedCount += 1
        }
    }

    /// A stop of interpreter A, whose pause counts what was handed to the listed.
    static func pause(_ world: ModelWorld, _ model: Model) {
        world.stop(world.interpreters[0]) {
            var found = 0
            Roster.forEachThread(of: world.interpreters[0]) { thread in locked { found += of(thread).pointee.count } }
            let expected = locked { handedCount }
            model.expect(found == expected, "L6: \(expected) handed, \(found) found in the pause")
        }
    }

    private static func locked<Result>(_ body: () -> Result) -> Result {
        let key = UnsafeRawPointer(bitPattern: 8)!
        ModelLock.lock(at: key)
        defer { ModelLock.unlock(at: key) }
        return body()
    }
}
#endif
