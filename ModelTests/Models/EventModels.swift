#if ModelCheck
// Events: E1, E2 and [set] of Event.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var eventModels: [ProtocolModel] {
    [
        eventSetAgainstWait, eventSetAgainstTwoWaits, eventLook, eventFreedByWaiter, eventOvertaken, eventStrangeWake,
        eventDeadline, eventDeadlineBesideWait, eventReset, eventDrained,
    ]
}

/// An event, and what is written before it is set: plain, so that a missing edge is a data race.
private struct EventScene {
    let event: UnsafeMutablePointer<Event>
    let data: UnsafeMutablePointer<Int>
    let model: Model

    init(_ model: Model) {
        Specification.take(.bucket)
        self.model = model
        event = model.allocate(Event.self)
        event.initialize(to: Event())
        data = model.allocate(Int.self)
        model.name(event, "event")
    }

    func expectData() { model.expect(data.pointee == 1, "[set]: what the setter wrote is not seen") }

    func set() {
        data.pointee = 1
        event.pointee.set()
    }

    /// Until a thread has said that it goes to park.
    func awaitWaiter() {
        let word = UnsafeRawPointer(event).assumingMemoryBound(to: Atomic<UInt32>.self)
        while word.pointee.load(ordering: .relaxed) & 2 == 0 { ModelThread.spinHint() }
    }
}

private let eventSetAgainstWait = ProtocolModel(
    "event: set against wait", "[set]: who waits returns, and sees what the setter wrote.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.thread("waiter") {
        scene.event.pointee.wait()
        scene.expectData()
    }
    model.thread("setter") { scene.set() }
}

private let eventSetAgainstTwoWaits = ProtocolModel(
    "event: set against two waits", "[set]: all who wait return.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
) { model in
    let scene = EventScene(model)
    for name in ["first waiter", "second waiter"] {
        model.thread(name) {
            scene.event.pointee.wait()
            scene.expectData()
        }
    }
    model.thread("setter") { scene.set() }
}

private let eventLook = ProtocolModel(
    "event: set against a look", "[set]: who finds the event set sees what the setter wrote.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.thread("looker") {
        while !scene.event.pointee.isSet { ModelThread.spinHint() }
        scene.expectData()
    }
    model.thread("setter") { scene.set() }
}

private let eventFreedByWaiter = ProtocolModel(
    "event: freed by its waiter", "E2: the setter touches the event no more once a waiter may have seen it set.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.thread("waiter") {
        scene.event.pointee.wait()
        ModelMemory.freed(at: scene.event, byteCount: MemoryLayout<Event>.size)
    }
    model.thread("setter") { scene.set() }
}

private let eventOvertaken = ProtocolModel(
    "event: a reset overtakes a waiter", "E1: a waiter that came before the event was set returns though it is reset.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.thread("waiter") {
        scene.event.pointee.wait()
        scene.expectData()
    }
    model.thread("setter") {
        scene.awaitWaiter()
        scene.set()
        scene.event.pointee.reset()
    }
}

private let eventStrangeWake = ProtocolModel(
    "event: a late wake for something else", "E1: a wake alone means nothing, and loses nothing.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.spuriousWakes = 1
    model.thread("waiter") {
        scene.event.pointee.wait()
        scene.expectData()
    }
    model.thread("stranger") { ParkingLot.unparkAll(at: scene.event) }
    model.thread("setter") { scene.set() }
}

private let eventDeadline = ProtocolModel(
    "event: a deadline against set",
    "A wait that returns true has seen the event set; one that returns false may be late.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = EventScene(model)
    model.thread("waiter") {
        let isSet = scene.event.pointee.wait(untilNanoseconds: 2_000_000_000)
        if isSet { scene.expectData() }
        model.outcome(isSet ? "set" : "too late")
    }
    model.thread("setter") { scene.set() }
}

private let eventDeadlineBesideWait = ProtocolModel(
    "event: a deadline passes beside a wait", "A waiter that leaves at its deadline takes nobody's wake with it.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = EventScene(model)
    model.thread("waiter with a deadline") {
        if scene.event.pointee.wait(untilNanoseconds: 2_000_000_000) { scene.expectData() }
    }
    model.thread("waiter") {
        scene.event.pointee.wait()
        scene.expectData()
    }
    model.thread("setter") { scene.set() }
}

private let eventReset = ProtocolModel(
    "event: a wait after a reset", "Who comes after a reset waits for the next time that the event is set.",
    smoke: [.sleepSets(staleReads: 1)]
) { model in
    let scene = EventScene(model)
    let wasReset = model.allocate(Event.self)
    wasReset.initialize(to: Event())
    model.thread("resetter") {
        scene.set()
        scene.event.pointee.reset()
        model.expect(!scene.event.pointee.isSet, "set after a reset")
        wasReset.pointee.set()
    }
    model.thread("waiter") {
        wasReset.pointee.wait()
        model.expect(!scene.event.pointee.wait(untilNanoseconds: 2_000_000_000), "a wait returned after a reset")
    }
}

private let eventDrained = ProtocolModel(
    "event: what was announced is found after a reset",
    "[set]: also of a setter that found the event set; who resets the event sees what all setters before it wrote.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = EventScene(model)
    let items = model.allocate(Atomic<Int>.self, count: 2, alignment: 8)
    for index in 0..<2 { (items + index).initialize(to: Atomic(0)) }
    model.thread("consumer") {
        var found = 0
        while found < 2 {
            scene.event.pointee.wait()
            scene.event.pointee.reset()
            found = items[0].load(ordering: .relaxed) + items[1].load(ordering: .relaxed)
        }
    }
    for index in 0..<2 {
        model.thread("producer \(index + 1)") {
            items[index].store(1, ordering: .relaxed)
            scene.event.pointee.set()
        }
    }
}
#endif
