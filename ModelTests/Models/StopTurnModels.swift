#if ModelCheck
// Stops against each other: W1, W2 of StopTheWorld.swift, the turns of StopTurn.swift, and requesters of every kind: without a
// thread state, attached in scope, attached to an interpreter out of scope.

import StillpointModel
import StillpointPlatform

@testable import StillpointThreads

var stopTurnModels: [ProtocolModel] {
    [
        stopModel(
            "stops: two of one interpreter", "one waits for its turn; its request lies on its stack, and is used again [turn]",
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let data = model.allocate(Int.self)
            for name in ["first", "second"] {
                model.thread(name) {
                    for _ in 0..<2 { world.stop(world.interpreters[0]) { data.pointee += 1 } }
                }
            }
        },
        stopModel(
            "stops: two of one interpreter, by its threads", "who waits for its turn is detached, and stopped by the other (W9)",
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let data = model.allocate(Int.self)
            for (index, name) in ["first", "second"].enumerated() {
                let thread = world.attached(name, of: index)
                model.thread(name) {
                    world.takeOver(thread)
                    world.stop(world.interpreters[0]) { data.pointee += 1 }
                    Attachment.detach(thread)
                }
            }
        },
        stopModel(
            "stops: of different interpreters", "they do not wait for each other (W2)", interpreters: 2,
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let data = model.allocate(Int.self, count: 2)
            model.invariant("(both at once is possible)") {
                let areBothPaused = world.interpreters.allSatisfy {
                    $0.pointee.stop.hasAsked && $0.pointee.stop.countdown.load(ordering: .relaxed) == 0
                }
                if areBothPaused { model.outcome("both at once") }
                return true
            }
            for (index, name) in ["of A", "of B"].enumerated() {
                let thread = world.attached(name, in: index, of: index)
                model.thread(name) {
                    world.takeOver(thread)
                    world.stop(world.interpreters[index]) { data[index] += 1 }
                    Attachment.detach(thread)
                }
            }
        },
        stopModel(
            "stops: one against all", "a stop of all waits for those of one, and they for it (W2)", interpreters: 2,
            smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
        ) { model, world in
            let thread = world.attached("of A", in: 0, of: 0)
            let data = model.allocate(Int.self)
            model.thread("of A") {
                world.takeOver(thread)
                data.pointee += 1
                world.stop(world.interpreters[0]) { data.pointee += 1 }
                Attachment.detach(thread)
            }
            model.thread("of all") { world.stop(nil) { data.pointee += 1 } }
        },
        stopModel(
            "stops: two of all", "by a thread of each interpreter", interpreters: 2,
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let data = model.allocate(Int.self)
            for (index, name) in ["of A", "of B"].enumerated() {
                let thread = world.attached(name, in: index, of: index)
                model.thread(name) {
                    world.takeOver(thread)
                    world.stop(nil) { data.pointee += 1 }
                    Attachment.detach(thread)
                }
            }
        },
        stopModel(
            "stops: of the other interpreter", "a requester out of scope is detached meanwhile, so two of them do not lock up",
            interpreters: 2, smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let data = model.allocate(Int.self, count: 2)
            for (index, name) in ["of A", "of B"].enumerated() {
                let thread = world.attached(name, in: index, of: index)
                model.thread(name) {
                    world.takeOver(thread)
                    data[index] += 1
                    world.stop(world.interpreters[1 - index]) {
                        model.expect(Attachment.current == nil, "a requester out of scope is attached in its pause")
                        data[1 - index] += 1
                    }
                    data[index] += 1
                    Attachment.detach(thread)
                }
            }
        },
        stopModel(
            "stops: three, in turn", "first come, first served, unless it overlaps nothing before it", interpreters: 2,
            smoke: [.depthFirst(preemptions: 1, staleReads: 0), .priorities(seed: 2, depth: 4, runs: 4000)],
            long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 2, depth: 5, runs: 200_000)]
        ) { model, world in
            let data = model.allocate(Int.self, count: 2)
            let stops: [(String, Interpreter?, [Int])] = [
                ("of A", world.interpreters[0], [0]), ("of all", nil, [0, 1]), ("of B", world.interpreters[1], [1]),
            ]
            for (name, scope, touched) in stops {
                model.thread(name) { world.stop(scope) { for index in touched { data[index] += 1 } } }
            }
        },
        stopModel(
            "stops: one inside another", "a stop that one's own covers is nothing; any other is refused", interpreters: 2,
            smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
        ) { model, world in
            let thread = world.attached("outer", in: 0, of: 0)
            let data = model.allocate(Int.self)
            model.thread("outer") {
                world.takeOver(thread)
                world.stop(world.interpreters[0]) {
                    data.pointee += 1
                    world.stop(world.interpreters[0]) { data.pointee += 1 }
                    model.expect(isRefused(world, nil), "a stop of all inside one of one interpreter is not refused")
                    model.expect(isRefused(world, world.interpreters[1]), "a stop of another interpreter is not refused")
                    model.expect(StopTheWorld.isAnyStoppedByCaller(in: world.world), "a stopper that is not told that it is one")
                    data.pointee += 1
                }
                Attachment.detach(thread)
            }
            model.thread("other") {
                world.stop(nil) {
                    data.pointee += 1
                    world.stop(world.interpreters[0]) { data.pointee += 1 }
                }
            }
        },
    ]
}

private func isRefused(_ world: ModelWorld, _ scope: Interpreter?) -> Bool {
    do throws(ThreadStateError) {
        try StopTheWorld.with(world.world, scope: scope) {}
        return false
    } catch {
        return error == .stopInsideStop
    }
}
#endif
