#if ModelCheck
// One stop against the moves of the threads that it stops: W3 to W9 of StopTheWorld.swift, A1 to A4 of Attachment.swift.
//
// Each thread has data of its own, which it changes while attached, and the stopper in its pause: an access too early, or one
// that does not see the other's, is a race.

import StillpointModel
import StillpointPlatform

@testable import StillpointThreads

var stopModels: [ProtocolModel] {
    [
        stopModel("stop: against attach and detach", "an attach and a detach meet a stop [park] [resume]") { model, world in
            let thread = world.threadState("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel("stop: against a safepoint", "a thread that polls is stopped there, and comes back [ask] [park] [resume]") {
            model, world in
            let thread = world.attached("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.takeOver(thread)
                data.pointee += 1
                Safepoint.poll(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
        stopModel("stop: by an attached thread", "the stopper stays attached, and offline (W9)") { model, world in
            let thread = world.attached("worker", of: 0)
            let stopper = world.attached("stopper", of: 1)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.takeOver(thread)
                data.pointee += 1
                Safepoint.poll(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") {
                world.takeOver(stopper)
                world.stop(world.interpreters[0]) {
                    data.pointee += 1
                    model.expect(!Quiescence.isOnline, "W9: the stopper is online in its pause")
                    model.expect(Attachment.current == stopper, "W9: the stopper is not attached in its pause")
                }
                Attachment.detach(stopper)
            }
        },
        stopModel(
            "stop: of two threads", "each is counted once, and the last to arrive wakes the stopper (W3)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 4000)]
        ) { model, world in
            let first = world.attached("first", of: 0)
            let second = world.threadState("second", of: 1)
            let data = model.allocate(Int.self, count: 2)
            model.thread("first") {
                world.takeOver(first)
                data[0] += 1
                Safepoint.poll(first)
                data[0] += 1
                Attachment.detach(first)
            }
            model.thread("second") {
                world.attach(second)
                data[1] += 1
                Attachment.detach(second)
            }
            model.thread("stopper") {
                world.stop(world.interpreters[0]) {
                    data[0] += 1
                    data[1] += 1
                }
            }
        },
        stopModel(
            "stop: back to back", "who waits when it is let go runs before the next stop of it begins (W12) [ran]",
            smoke: [.depthFirst(preemptions: 3, staleReads: 0), .depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.threadState("worker", of: 0)
            let runs = model.allocate(Int.self)
            let waited = model.allocate(Bool.self)
            model.thread("worker") {
                world.attach(thread)
                runs.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") {
                world.stop(world.interpreters[0]) {}
                world.stop(world.interpreters[0]) {
                    waited.pointee = thread.loadWord() & ThreadWord.isWaiting != 0 && runs.pointee == 0
                }
                world.stop(world.interpreters[0]) {
                    model.expect(!waited.pointee || runs.pointee == 1, "W12: who waited has not run")
                }
            }
        },
        stopModel(
            "stop: rescanning", "the stop that looks again every millisecond finds who detached [park]",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            StopTheWorld.setRescanning(true, in: world.world)
            let thread = world.attached("worker", of: 0)
            let data = model.allocate(Int.self)
            model.thread("worker") {
                world.takeOver(thread)
                data.pointee += 1
                Attachment.detach(thread)
                world.attach(thread)
                data.pointee += 1
                Attachment.detach(thread)
            }
            model.thread("stopper") { world.stop(world.interpreters[0]) { data.pointee += 1 } }
        },
    ]
}

/// A model of stops. Its source of worlds makes `interpreters` of them, in the first run.
func stopModel(
    _ name: String, _ about: String, failsBy mistake: String? = nil, interpreters: Int = 1,
    hooks: ThreadHooks = ThreadHooks(),
    smoke: [ExplorationStrategy] = [.depthFirst(preemptions: 3, staleReads: 1)],
    long: [ExplorationStrategy] = [],
    setUp: @escaping (Model, ModelWorld) -> Void
) -> ProtocolModel {
    let source = WorldSource(interpreters: interpreters, hooks: hooks)
    return ProtocolModel(name, about, failsBy: mistake, smoke: smoke, long: long) { model in
        setUp(model, source.begin(model))
    }
}
#endif
