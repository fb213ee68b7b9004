#if ModelCheck
// Threads that a stop need not visit, and threads that another thread holds: D1 to D3 of Dormancy.swift, H1 and H2 of
// HeldThread.swift, against stops and the owner's attach.

import StillpointModel
import StillpointPlatform

@testable import StillpointThreads

var heldThreadModels: [ProtocolModel] {
    [
        stopModel("dormancy: back during a stop", "a dormant thread comes back before, in or after a stop (D3)") {
            model, world in
            let thread = world.dormant("sleeper", of: 0)
            let data = model.allocate(Int.self)
            model.thread("sleeper") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel(
            "dormancy: again and again", "a detached thread becomes dormant, comes back, and does so again (D1, D2) [resume]",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                for _ in 0..<2 {
                    world.attach(thread)
                    data.pointee += 1
                    Attachment.detach(thread)
                }
            }
            model.thread("stopper") {
                for _ in 0..<2 { world.stop(world.interpreters[0]) { data.pointee += 1 } }
            }
        },
        stopModel("hold: against attach", "who is held does not attach, and sees what its holder did [park] [resume]") {
            model, world in
            let thread = world.threadState("worker", of: 0)
            let holder = world.attached("holder", of: 1)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("holder") {
                world.takeOver(holder)
                hold(thread, by: holder) { data.pointee += 1 }
                Attachment.detach(holder)
            }
        },
        stopModel("hold: of a dormant thread", "its owner, who comes back, waits for the holder (D2)") { model, world in
            let thread = world.dormant("sleeper", of: 0)
            let holder = world.attached("holder", of: 1)
            let data = model.allocate(Int.self)
            model.thread("sleeper") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("holder") {
                world.takeOver(holder)
                hold(thread, by: holder) { data.pointee += 1 }
                Attachment.detach(holder)
            }
        },
        stopModel(
            "hold: against a stop", "no pause overlaps a hold (H1), and a stop that finds a thread held lets it go (H2)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 3, depth: 4, runs: 4000)],
            long: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 3, depth: 5, runs: 200_000)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let holder = world.attached("holder", of: 1)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("holder") {
                world.takeOver(holder)
                hold(thread, by: holder) { data.pointee += 1 }
                Attachment.detach(holder)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel(
            "hold: of a dormant thread, against a stop", "the stop finds it listed, held or not (D3, H2)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.dormant("sleeper", of: 0)
            let holder = world.attached("holder", of: 1)
            let data = model.allocate(Int.self)
            model.thread("sleeper") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("holder") {
                world.takeOver(holder)
                hold(thread, by: holder) { data.pointee += 1 }
                Attachment.detach(holder)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
    ]
}

private func hold(_ thread: ThreadState, by holder: ThreadState, _ body: () -> Void) {
    do {
        try withThreadHeld(thread, by: holder, body)
    } catch {
        modelFailure("a hold was refused: \(error)")
    }
}
#endif
