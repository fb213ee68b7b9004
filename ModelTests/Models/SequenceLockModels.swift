#if ModelCheck
// Sequence locks: S1, S2, [begin], [field] and [end] of SequenceLock.swift, with a payload of two fields.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var sequenceLockModels: [ProtocolModel] {
    [
        sequenceLockReader, sequenceLockTwoWriters, sequenceLockWritersAndReader,
        sequenceLockAbandoned, sequenceLockLook,
        sequenceLockRelaxedReader, sequenceLockRelaxedWriter,
    ]
}

/// Each write stores its number, from 1 on, in both fields.
private struct SequenceLockScene {
    let lock: UnsafeMutablePointer<SequenceLock>
    let fields: UnsafeMutablePointer<Atomic<Int>>
    /// The writer's own. Plain.
    let written: UnsafeMutablePointer<Int>
    let model: Model

    init(_ model: Model) {
        self.model = model
        lock = model.allocate(SequenceLock.self)
        lock.initialize(to: SequenceLock())
        fields = model.allocate(Atomic<Int>.self, count: 2, alignment: 8)
        for index in 0..<2 { (fields + index).initialize(to: Atomic(0)) }
        written = model.allocate(Int.self)
        model.name(lock, "number")
        model.name(fields, "first field")
        model.name(fields + 1, "second field")
    }

    func write(fields order: AtomicStoreOrdering = .releasing) {
        lock.pointee.beginWrite()
        written.pointee += 1  // S1: a race, were there two writers
        fields[0].store(written.pointee, ordering: order)
        fields[1].store(written.pointee, ordering: order)
        lock.pointee.endWrite()
    }

    func abandon() {
        lock.pointee.beginWrite()
        lock.pointee.abandonWrite()
    }

    /// One try.
    func read(fields order: AtomicLoadOrdering = .acquiring) {
        let sequence = lock.pointee.beginRead()
        let first = fields[0].load(ordering: order), second = fields[1].load(ordering: order)
        guard lock.pointee.endRead(sequence) else { return model.outcome("read while it was written") }
        model.expect(first == second, "S2: a payload of two writers, \(first) and \(second)")
        model.expect(first == Int(sequence) / 2, "S2 [end]: \(first), but by the number it is \(sequence / 2)")
    }

    /// Until it has read what is whole.
    func readWhole() {
        let (first, second) = lock.pointee.read {
            (fields[0].load(ordering: .acquiring), fields[1].load(ordering: .acquiring))
        }
        model.expect(first == second, "S2: a payload of two writers, \(first) and \(second)")
    }

    func expectInTheEnd(_ count: Int) {
        model.finally {
            let values = (0..<2).map { fields[$0].load(ordering: .relaxed) }
            model.expect(values == [count, count], "[begin]: after \(count) writes the fields are \(values)")
            model.expect(lock.pointee.beginRead() == UInt32(2 * count), "the number after \(count) writes")
        }
    }
}

private let sequenceLockReader = ProtocolModel(
    "sequence lock: a reader against two writes", "S2 [field] [end]: what is read is whole, and of its number.",
    smoke: [.sleepSets(staleReads: 3)], long: [.sleepSets(staleReads: 3)]
) { model in
    let scene = SequenceLockScene(model)
    model.thread("writer") { for _ in 0..<2 { scene.write() } }
    model.thread("reader") { scene.read() }
    scene.expectInTheEnd(2)
}

private let sequenceLockTwoWriters = ProtocolModel(
    "sequence lock: two writers", "S1 [begin]: one writes at a time, over what the last one wrote.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    for name in ["first writer", "second writer"] { model.thread(name) { scene.write() } }
    scene.expectInTheEnd(2)
}

private let sequenceLockWritersAndReader = ProtocolModel(
    "sequence lock: a reader against two writers", "S1, S2: also when the writers are two threads.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 2)], long: [.depthFirst(preemptions: 3, staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    for name in ["first writer", "second writer"] { model.thread(name) { scene.write() } }
    model.thread("reader") { scene.read() }
    scene.expectInTheEnd(2)
}

private let sequenceLockAbandoned = ProtocolModel(
    "sequence lock: a write is abandoned", "[begin] [end]: the number that comes back still stands for its payload.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 2)], long: [.depthFirst(preemptions: 4, staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    model.thread("writer") { scene.write() }
    model.thread("one who abandons") { scene.abandon() }
    model.thread("reader") { scene.read() }
    scene.expectInTheEnd(1)
}

private let sequenceLockLook = ProtocolModel(
    "sequence lock: a reader reads until it is whole", "S2: a reader comes to an end when the writers do.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    model.thread("writer") {
        scene.write()
        scene.abandon()
    }
    model.thread("reader") { scene.readWhole() }
    scene.expectInTheEnd(1)
}

private let sequenceLockRelaxedReader = ProtocolModel(
    "sequence lock: fields that a reader loads relaxed",
    "[field]: without its reader's end, what is read is not whole.",
    failsBy: "S2", smoke: [.depthFirst(preemptions: 2, staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    model.thread("writer") { scene.write() }
    model.thread("reader") { scene.read(fields: .relaxed) }
}

private let sequenceLockRelaxedWriter = ProtocolModel(
    "sequence lock: fields that a writer stores relaxed",
    "[field]: without its writer's end, what is read is not whole.",
    failsBy: "S2", smoke: [.depthFirst(preemptions: 2, staleReads: 2)]
) { model in
    let scene = SequenceLockScene(model)
    model.thread("writer") { scene.write(fields: .relaxed) }
    model.thread("reader") { scene.read() }
}
#endif
