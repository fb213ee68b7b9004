#if ModelCheck
// Once: O1, O2, [done] and [try] of Once.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var onceModels: [ProtocolModel] {
    [
        onceTwoThreads, onceThreeThreads, onceLook, onceFreed, onceBothThrow, onceThrowsAndRetries,
        onceThrowsAmongThree, onceCallsItself,
    ]
}

private struct BodyFailure: Error {}

/// What the body counts in: plain, so that a missing edge is a data race.
private struct OnceScene {
    let once: UnsafeMutablePointer<Once>
    let bodies: UnsafeMutablePointer<Int>
    let finished: UnsafeMutablePointer<Int>
    let model: Model

    init(_ model: Model) {
        Specification.take(.bucket)
        self.model = model
        once = model.allocate(Once.self)
        once.initialize(to: Once())
        bodies = model.allocate(Int.self)
        finished = model.allocate(Int.self)
        model.name(once, "once")
    }

    /// Whether this call has run the body.
    @discardableResult
    func run() -> Bool {
        let hasRun = once.pointee.run {
            bodies.pointee += 1
            finished.pointee += 1
        }
        expectDone()
        return hasRun
    }

    func runAndThrow() -> Bool {
        do {
            try once.pointee.run { () throws(BodyFailure) in
                bodies.pointee += 1
                throw BodyFailure()
            }
            expectDone()
            return false
        } catch {
            return true
        }
    }

    func expectDone() { model.expect(finished.pointee == 1, "O1 [done]: the body has run \(finished.pointee) times") }
}

private let onceTwoThreads = ProtocolModel(
    "once: two threads", "O1 [done]: one runs the body, and both see what it wrote.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = OnceScene(model)
    for name in ["first", "second"] { model.thread(name) { scene.run() } }
    model.finally { model.expect(scene.bodies.pointee == 1 && scene.once.pointee.isDone, "O1") }
}

private let onceThreeThreads = ProtocolModel(
    "once: three threads", "O1 [done]: the runner wakes all who wait.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = OnceScene(model)
    for name in ["first", "second", "third"] { model.thread(name) { scene.run() } }
    model.finally { model.expect(scene.bodies.pointee == 1, "O1") }
}

private let onceLook = ProtocolModel(
    "once: a look", "[done]: who finds that it is done sees what the body wrote.", smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = OnceScene(model)
    model.thread("runner") { scene.run() }
    model.thread("looker") {
        while !scene.once.pointee.isDone { ModelThread.spinHint() }
        scene.expectDone()
    }
}

private let onceFreed = ProtocolModel(
    "once: freed by who waited", "O2: the runner touches it no more once another may have returned.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = OnceScene(model)
    for name in ["first", "second"] {
        model.thread(name) {
            if !scene.run() { ModelMemory.freed(at: scene.once, byteCount: MemoryLayout<Once>.size) }
        }
    }
}

private let onceBothThrow = ProtocolModel(
    "once: both bodies throw", "[try]: the second body sees what the first one wrote.", smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = OnceScene(model)
    for name in ["first", "second"] {
        model.thread(name) { model.expect(scene.runAndThrow(), "O1: done, though every body has thrown") }
    }
    model.finally { model.expect(scene.bodies.pointee == 2 && !scene.once.pointee.isDone, "O1") }
}

private let onceThrowsAndRetries = ProtocolModel(
    "once: a body throws, and its thread tries again",
    "O1 [try]: a body that threw has not run; the next one sees what it wrote; nobody takes another for the runner.",
    smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    let scene = OnceScene(model)
    model.thread("thrower") {
        let hasThrown = scene.runAndThrow()
        scene.run()
        model.outcome(hasThrown ? "thrown" : "too late to throw")
    }
    model.thread("other") { scene.run() }
    model.finally { model.expect(scene.bodies.pointee >= 1 && scene.once.pointee.isDone, "O1") }
}

private let onceThrowsAmongThree = ProtocolModel(
    "once: a body throws while others wait", "O1 [try]: one of those who wait tries next; none waits for ever.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = OnceScene(model)
    model.thread("thrower") { _ = scene.runAndThrow() }
    for name in ["first", "second"] { model.thread(name) { scene.run() } }
}

private let onceCallsItself = ProtocolModel(
    "once: a body calls its own once", "Diagnosed, before the thread waits for itself.",
    diagnosedAs: "Once: the body has called its own Once", smoke: [.depthFirst(preemptions: 1, staleReads: 1)]
) { model in
    let scene = OnceScene(model)
    model.thread("first") { scene.once.pointee.run { scene.once.pointee.run {} } }
    model.thread("second") { scene.once.pointee.run {} }
}
#endif
