#if ModelCheck
// Critical sections: C1 to C5, A2 (I14), [object lock] of CriticalSection.swift.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

var criticalSectionModels: [ProtocolModel] {
    [
        overOneObject, pairsInOppositeOrder, detachInside, nestedInOppositeOrder, nestedInItself, againstStop,
        movedObject,
        manyWaitForMovedObject, handOffToSuspended, pairAgainstStop, sectionEndsDetached,
    ]
}

nonisolated(unsafe) private let overOneObject = ProtocolModel(
    "critical section: over one object", "one at a time, and each sees what the last one wrote [object lock]",
    smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 2, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let object = stage.makeObjects(1)[0]
    for name in ["first", "second"] {
        let slot = stage.slot(object)
        stage.thread(name) { thread in
            CriticalSection.with(thread, slot) { object.increment() }
        }
    }
    model.finally {
        model.expect(object.count.pointee == 2, "a section's work is lost")
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let pairsInOppositeOrder = ProtocolModel(
    "critical section: pairs in opposite order", "no deadlock, whatever the order (C1)",
    smoke: [.depthFirst(preemptions: 3, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1), .sleepSets(staleReads: 0)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let objects = stage.makeObjects(2)
    for (name, first) in [("first", 0), ("second", 1)] {
        let slots = [stage.slot(objects[first]), stage.slot(objects[1 - first])]
        stage.thread(name) { thread in
            CriticalSection.with(thread, slots[0], slots[1]) {
                objects[0].increment()
                objects[1].increment()
            }
        }
    }
    model.finally {
        for object in objects {
            model.expect(object.count.pointee == 2, "a section's work is lost")
            model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
        }
    }
}

nonisolated(unsafe) private let detachInside = ProtocolModel(
    "critical section: detach inside", "the lock is let go while its thread is away, and taken again (A2)",
    smoke: [.depthFirst(preemptions: 3, staleReads: 0), .depthFirst(preemptions: 2, staleReads: 1)],
    long: [.depthFirst(preemptions: 4, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let object = stage.makeObjects(1)[0]
    let (slot, otherSlot) = (stage.slot(object), stage.slot(object))
    stage.thread("leaver") { thread in
        CriticalSection.with(thread, slot) {
            object.increment()
            Attachment.detach(thread)
            try! Attachment.attach(thread)
            object.increment()
        }
    }
    stage.thread("other") { thread in
        CriticalSection.with(thread, otherSlot) { object.increment() }
    }
    model.finally {
        model.expect(object.count.pointee == 3, "a section's work is lost")
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let nestedInOppositeOrder = ProtocolModel(
    "critical section: nested in opposite order",
    "who waits holds nothing (C1), and the outer section is entered again when it becomes innermost (C3)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let objects = stage.makeObjects(2)
    for (name, outer) in [("first", 0), ("second", 1)] {
        let slots = [stage.slot(objects[outer]), stage.slot(objects[1 - outer])]
        stage.thread(name) { thread in
            CriticalSection.with(thread, slots[0]) {
                CriticalSection.with(thread, slots[1]) { objects[1 - outer].increment() }
                objects[outer].increment()
            }
        }
    }
    model.finally {
        for object in objects {
            model.expect(object.count.pointee == 2, "a section's work is lost")
            model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
        }
    }
}

nonisolated(unsafe) private let nestedInItself = ProtocolModel(
    "critical section: nested in itself, and away inside",
    "a section of an object that is entered takes no lock (C5), but its own once the outer one is suspended (C3)",
    smoke: [.depthFirst(preemptions: 3, staleReads: 0)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let object = stage.makeObjects(1)[0]
    let (slot, otherSlot) = (stage.slot(object), stage.slot(object))
    stage.thread("nested") { thread in
        CriticalSection.with(thread, slot) {
            CriticalSection.with(thread, slot) {
                object.increment()
                Attachment.detach(thread)
                try! Attachment.attach(thread)
                object.increment()
            }
            object.increment()
        }
    }
    stage.thread("other") { thread in
        CriticalSection.with(thread, otherSlot) { object.increment() }
    }
    model.finally {
        model.expect(object.count.pointee == 4, "a section's work is lost")
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let againstStop = ProtocolModel(
    "critical section: against a stop",
    "in the pause no thread has entered a section (I14, W14), and all of them go on",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 6_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let object = stage.makeObjects(1)[0]
    for name in ["first", "second"] {
        let slot = stage.slot(object)
        stage.thread(name) { thread in
            CriticalSection.with(thread, slot) {
                object.increment()
                Safepoint.poll(thread)
                object.increment()
            }
        }
    }
    stage.stopper { object.increment() }
    model.finally {
        model.expect(object.count.pointee == 5, "a section's work is lost")
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let pairAgainstStop = ProtocolModel(
    "critical section: pairs against a stop", "a pair that is half taken is no obstacle for a stop, nor is it lost",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 5, runs: 200_000)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let objects = stage.makeObjects(2)
    for (name, first) in [("first", 0), ("second", 1)] {
        let slots = [stage.slot(objects[first]), stage.slot(objects[1 - first])]
        stage.thread(name) { thread in
            CriticalSection.with(thread, slots[0], slots[1]) {
                objects[0].increment()
                Safepoint.poll(thread)
                objects[1].increment()
            }
        }
    }
    stage.stopper {
        objects[0].increment()
        objects[1].increment()
    }
    model.finally {
        for object in objects {
            model.expect(object.count.pointee == 3, "a section's work is lost")
            model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
        }
    }
}

/// Where the header of an object goes in a pause, lock and all. Who is parked is told; the old place is somebody else's
/// from then on.
private func move(_ object: ModelObject, to new: ModelObject, slots: [ObjectSlot], on stage: Stage) {
    CriticalSection.wakeAllParked(of: stage.roster)
    let word = object.lockWord.pointee.load(ordering: .relaxed)
    new.lockWord.pointee.store(word & ~(2 << 24), ordering: .relaxed)
    for slot in slots { slot.pointee = new.header }
    ModelMemory.freed(at: object.header, byteCount: 16)
}

nonisolated(unsafe) private let manyWaitForMovedObject = ProtocolModel(
    "critical section: two wait for an object that moves", "none of those who wait at the old place is forgotten (C2)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let (object, new) = (stage.makeObjects(1)[0], stage.makeObjects(1)[0])
    model.name(new.lockWord, "lock of the object where it went")
    let slots = (0..<3).map { _ in stage.slot(object) }
    stage.thread("mover") { thread in
        CriticalSection.with(thread, slots[0]) { object.increment() }
        let stopped = try! StopTheWorld.begin(stage.world, scope: stage.roster)
        move(object, to: new, slots: slots, on: stage)
        stopped.resume()
    }
    for index in 1...2 {
        stage.thread("waiter \(index)") { thread in
            CriticalSection.with(thread, slots[index]) { object.increment() }
        }
    }
    model.finally {
        model.expect(object.count.pointee == 3, "a section's work is lost")
        model.expect(new.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

/// Two threads contend for an object that a pause moves.
private func moveObject(_ model: Model) {
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let (object, new) = (stage.makeObjects(1)[0], stage.makeObjects(1)[0])
    model.name(new.lockWord, "lock of the object where it went")
    var slots: [ObjectSlot] = []
    for name in ["first", "second"] {
        let slot = stage.slot(object)
        slots.append(slot)
        stage.thread(name) { thread in
            CriticalSection.with(thread, slot) { object.increment() }
            model.expect(
                thread.pointee.parkedOn.load(ordering: .relaxed) == 0, "a thread is said to be parked that is not")
        }
    }
    stage.stopper { move(object, to: new, slots: slots, on: stage) }
    model.finally {
        model.expect(object.count.pointee == 2, "a section's work is lost")
        model.expect(new.lockBits == 0, "the lock of an object is held, and nobody is there")
    }
}

nonisolated(unsafe) private let movedObject = ProtocolModel(
    "critical section: an object that moves",
    "who woke reads its slot again, and looks at the old place no more (C2, L6)",
    smoke: [.depthFirst(preemptions: 2, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 200_000)]
) { moveObject($0) }

nonisolated(unsafe) private let handOffToSuspended = ProtocolModel(
    "critical section: handed over to a suspended thread",
    "the lock of an object, handed to who sleeps, is its own wherever the object goes in between (C2, L3)",
    smoke: [.depthFirst(preemptions: 1, staleReads: 0), .random(seed: 1, runs: 3_000)],
    long: [.depthFirst(preemptions: 3, staleReads: 0), .priorities(seed: 1, depth: 5, runs: 200_000)]
) { model in
    model.clockJumpNanoseconds = ParkingLot.patienceNanoseconds
    moveObject(model)
}

nonisolated(unsafe) private let sectionEndsDetached = ProtocolModel(
    "critical section: ends detached, its interpreter closed",
    "a section whose thread cannot attach again ends without a lock",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)]
) { model in
    Specification.take(.bucket, .mutex)
    let stage = Stage(model)
    let object = stage.makeObjects(1)[0]
    let slot = stage.slot(object)
    let state = stage.makeState("leaver")
    model.thread("leaver") {
        do throws(ThreadStateError) {
            try Attachment.attach(state)
            try CriticalSection.with(state, slot) { () throws(ThreadStateError) in
                CriticalSection.with(state, slot) { object.increment() }
                Attachment.detach(state)
                try Attachment.attach(state)
            }
            model.outcome("attached again")
            Attachment.detach(state)
        } catch {
            model.expect(error == .shuttingDown, "\(error)")
            model.outcome("refused")
        }
    }
    model.thread("closer") { Roster.close(stage.roster) }
    stage.finally {
        model.expect(object.lockBits == 0, "the lock of an object is held, and nobody is there")
        model.expect(state.pointee.topSection == nil, "a section is open that has ended")
    }
}
#endif
