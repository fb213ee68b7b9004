#if ModelCheck
// Grace periods against readers: R1 to R4, [goal], [quiet] and [completed] of Reclamation.swift. liburcu's calls are
// the checker's specification of them.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var reclamationModels: [ProtocolModel] {
    [
        reclamationReader, reclamationAsksReader, reclamationGoal, reclamationCompleted, reclamationShared,
        reclamationBirthAndDeath, reclamationTwoRetirers, reclamationHeldTooLong, reclamationGoalTooEarly,
        reclamationWaitsOnline,
    ]
}

/// What the models of reclamation share: a slot from which readers take a block, and participants on the roll.
struct ReclamationScene {
    let model: Model
    let signal: UnsafeMutablePointer<ServiceSignal>
    /// The address of the block that readers find; 0: none.
    let slot: UnsafeMutablePointer<Atomic<UInt>>
    let block: UnsafeMutablePointer<Int>
    /// Set when nobody asks readers for anything any more.
    let isOver: UnsafeMutablePointer<Atomic<Bool>>

    init(_ model: Model, blockIsRaw: Bool = false) {
        Specification.take(.bucket, .mutex)
        self.model = model
        signal = model.allocate(ServiceSignal.self)
        signal.initialize(to: ServiceSignal())
        block =
            blockIsRaw
            ? try! RawMemory.allocate(byteCount: 16).assumingMemoryBound(to: Int.self) : model.allocate(Int.self)
        block.pointee = 7
        slot = model.allocate(Atomic<UInt>.self)
        slot.initialize(to: Atomic(UInt(bitPattern: block)))
        isOver = model.allocate(Atomic<Bool>.self)
        isOver.initialize(to: Atomic(false))
        model.name(slot, "slot")
        model.name(block, "block")
        model.invariant("R1") { Reclamation.nextGoal() - 1 - Reclamation.completedGoal <= 1 }
    }

    // MARK: Participants

    func makeParticipant(_ name: String) -> UnsafeMutablePointer<Participant> {
        let participant = model.allocate(Participant.self)
        participant.initialize(to: Participant(word: 0, signal: signal))
        model.name(participant, name)
        return participant
    }

    /// One that is on the roll from set-up to end.
    func enlisted(_ name: String) -> UnsafeMutablePointer<Participant> {
        let participant = makeParticipant(name)
        try! Reclamation.enlist(participant)
        let model = model
        model.finally {
            model.expect(!isAsked(participant), "R3: asked for a quiescent state when no grace period runs")
            Reclamation.dismiss(participant)
        }
        return participant
    }

    func isAsked(_ participant: UnsafeMutablePointer<Participant>) -> Bool {
        participant.pointee.word.load(ordering: .relaxed) & Participant.quiescenceWanted != 0
    }

    // MARK: A reader

    func goOnline() {
        try! Reclamation.registerReader()
        Quiescence.goOnline()
    }

    /// Takes the block, if it is there still, and reads in it: a use after free, if it has gone meanwhile.
    func look() {
        guard let found = UnsafePointer<Int>(bitPattern: slot.pointee.load(ordering: .acquiring)) else { return }
        model.expect(found.pointee == 7, "what a reader found is another by now")
    }

    func poll(_ participant: UnsafeMutablePointer<Participant>) {
        if isAsked(participant) { Quiescence.announce() }
    }

    func pollUntilAskedOrOver(_ participant: UnsafeMutablePointer<Participant>) {
        while !isAsked(participant) {
            if isOver.pointee.load(ordering: .relaxed) { return }
            ModelThread.spinHint()
        }
        Quiescence.announce()
    }

    // MARK: Who retires

    /// Makes the block unreachable. Relaxed: what grace periods order, they order without help.
    func unlink() { slot.pointee.store(0, ordering: .relaxed) }

    func free() { ModelMemory.freed(at: block, byteCount: MemoryLayout<Int>.size) }
}

private let reclamationReader = ProtocolModel(
    "reclamation: a reader while a block is retired", "R2 [quiet]: no reader holds it when it is freed.",
    smoke: [.sleepSets(staleReads: 2)], long: [.sleepSets(staleReads: 3)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.enlisted("the reader's word")
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.poll(participant)
        scene.look()
        Quiescence.goOffline()
    }
    model.thread("retirer") {
        scene.unlink()
        Reclamation.synchronize()
        scene.free()
    }
}

private let reclamationAsksReader = ProtocolModel(
    "reclamation: a reader that comes to rest only when asked", "R3: each reader on the roll is asked.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.enlisted("the reader's word")
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.pollUntilAskedOrOver(participant)
        scene.look()
        Quiescence.goOffline()
    }
    model.thread("retirer") {
        scene.unlink()
        Reclamation.synchronize()
        scene.free()
        scene.isOver.pointee.store(true, ordering: .relaxed)
    }
}

private let reclamationGoal = ProtocolModel(
    "reclamation: a goal beside a grace period of another's",
    "R2 [goal]: the goal is a grace period that began when the block could not be found any more.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.enlisted("the reader's word")
    model.thread("other") { Reclamation.synchronize() }
    model.thread("retirer") {
        scene.unlink()
        Reclamation.waitFor(goal: Reclamation.nextGoal())
        scene.free()
    }
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.poll(participant)
        scene.look()
        Quiescence.goOffline()
    }
}

private let reclamationCompleted = ProtocolModel(
    "reclamation: freed by one who did not wait", "[completed]: who finds that the goal has passed may free.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.enlisted("the reader's word")
    model.thread("retirer") {
        scene.unlink()
        let goal = Reclamation.nextGoal()
        scene.isOver.pointee.store(true, ordering: .relaxed)
        let isFreed = Reclamation.hasPassed(goal)
        if isFreed { scene.free() }
        model.outcome(isFreed ? "freed" : "too early")
    }
    model.thread("service") {
        while !scene.isOver.pointee.load(ordering: .relaxed) { ModelThread.spinHint() }
        Reclamation.synchronize()
    }
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.poll(participant)
        Quiescence.goOffline()
    }
}

private let reclamationShared = ProtocolModel(
    "reclamation: two who wait for the same goal", "R1: one grace period serves both.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model)
    _ = scene.enlisted("a word")
    let goal = Reclamation.nextGoal()
    for name in ["first", "second"] {
        model.thread(name) { Reclamation.waitFor(goal: goal) }
    }
    model.finally {
        model.expect(Reclamation.completedGoal == goal && goal == 1, "a grace period more than was asked for")
    }
}

private let reclamationBirthAndDeath = ProtocolModel(
    "reclamation: a reader is born and dies during a grace period",
    "R3: who is enlisted meanwhile is asked; who is dismissed is not touched any more.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.makeParticipant("the reader's word")
    model.thread("reader") {
        try! Reclamation.enlist(participant)
        scene.goOnline()
        scene.look()
        scene.pollUntilAskedOrOver(participant)
        scene.look()
        Quiescence.goOffline()
        Reclamation.dismiss(participant)
        ModelMemory.freed(at: participant, byteCount: MemoryLayout<Participant>.size)
    }
    model.thread("retirer") {
        scene.unlink()
        Reclamation.synchronize()
        scene.free()
        scene.isOver.pointee.store(true, ordering: .relaxed)
    }
}

private let reclamationTwoRetirers = ProtocolModel(
    "reclamation: two retire, two read", "R1 R2 R3: in larger company, by chance.",
    smoke: [.random(seed: 1, runs: 3_000), .priorities(seed: 1, depth: 4, runs: 3_000)],
    long: [.random(seed: 2, runs: 300_000), .priorities(seed: 2, depth: 4, runs: 300_000)]
) { model in
    let scene = ReclamationScene(model)
    let owner = model.allocate(Atomic<Bool>.self)
    owner.initialize(to: Atomic(false))
    for index in 0..<2 {
        let participant = scene.enlisted("word \(index)")
        model.thread("reader \(index + 1)") {
            scene.goOnline()
            for _ in 0..<2 {
                scene.look()
                scene.poll(participant)
            }
            Quiescence.goOffline()
        }
        model.thread("retirer \(index + 1)") {
            let isFirst = !owner.pointee.exchange(true, ordering: .relaxed)
            if isFirst { scene.unlink() }
            Reclamation.synchronize()
            if isFirst { scene.free() }
        }
    }
}

// MARK: What readers and retirers must not do

private let reclamationHeldTooLong = ProtocolModel(
    "reclamation: a reader holds a block over a quiescent state", "R2: what a reader promises when it announces one.",
    failsBy: "free", smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
) { model in
    let scene = ReclamationScene(model)
    let participant = scene.enlisted("the reader's word")
    model.thread("reader") {
        scene.goOnline()
        let found = UnsafePointer<Int>(bitPattern: scene.slot.pointee.load(ordering: .acquiring))
        scene.poll(participant)
        if let found { model.expect(found.pointee == 7, "another by now") }
        Quiescence.goOffline()
    }
    model.thread("retirer") {
        scene.unlink()
        Reclamation.synchronize()
        scene.free()
    }
}

private let reclamationGoalTooEarly = ProtocolModel(
    "reclamation: a goal is read before the block is out of reach", "[goal]: what a retirer must have done before.",
    failsBy: "free", smoke: [.depthFirst(preemptions: 1, staleReads: 0)]
) { model in
    let scene = ReclamationScene(model)
    model.thread("retirer") {
        let goal = Reclamation.nextGoal()
        scene.unlink()
        Reclamation.waitFor(goal: goal)
        scene.free()
    }
    model.thread("other") { Reclamation.synchronize() }
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        Quiescence.goOffline()
    }
}

private let reclamationWaitsOnline = ProtocolModel(
    "reclamation: a reader waits for a grace period", "R4: it would wait for itself.",
    diagnosedAs: "waiting for a grace period while online", smoke: [.depthFirst(preemptions: 1, staleReads: 0)]
) { model in
    let scene = ReclamationScene(model)
    model.thread("reader") {
        scene.goOnline()
        Reclamation.synchronize()
    }
}
#endif
