#if ModelCheck
// Deferred frees: a queue, the service thread that its hint and request reach, and readers of what is in it.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var deferredQueueModels: [ProtocolModel] { [deferredServed, deferredTakenOver] }

/// Frees a block of RawMemory.
private let freeRaw: DeferredFree = { block, _ in RawMemory.free(block) }

private let deferredServed = ProtocolModel(
    "deferred frees: put off, served, drained",
    "R2 [goal] [completed]: freed when no reader holds it; the service is asked and finds that something waits.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model, blockIsRaw: true)
    let own = scene.enlisted("the owner's word"), readers = scene.enlisted("the reader's word")
    let service = model.thread("service") {
        ServiceSignal.wait(on: scene.signal, untilNanoseconds: nil)
        _ = ServiceSignal.take(from: scene.signal)
        model.expect(deferred(of: own).pointee.isPending, "[request]: asked, and finds nothing that waits")
        Reclamation.synchronize()
    }
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.poll(readers)
        scene.look()
        Quiescence.goOffline()
    }
    model.thread("owner") {
        scene.unlink()
        let queue = deferred(of: own)
        try! queue.pointee.append(scene.block, byteCount: 16, free: freeRaw)
        if queue.drain(freeingThread: nil) == 0 {
            service.join()
            model.expect(queue.drain(freeingThread: nil) == 1, "not freed after its grace period")
        }
        model.expect(queue.pointee.isEmpty && queue.pointee.byteCount == 0, "drained, and not empty")
        model.expect(!queue.pointee.isPending, "nothing waits, and the hint says that something does")
    }
}

private let deferredTakenOver = ProtocolModel(
    "deferred frees: taken over from a thread that ends",
    "R2: what another has put off is freed after its own goal; both hints are what the queues are.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = ReclamationScene(model, blockIsRaw: true)
    let own = scene.enlisted("the ended thread's word"), orphans = scene.enlisted("the orphans' word")
    let readers = scene.enlisted("the reader's word")
    let lock = model.allocate(Int.self)
    model.thread("reader") {
        scene.goOnline()
        scene.look()
        scene.poll(readers)
        Quiescence.goOffline()
    }
    let ended = model.thread("thread that ends") {
        scene.unlink()
        let queue = deferred(of: own)
        try! queue.pointee.append(scene.block, byteCount: 16, free: freeRaw)
        ModelLock.lock(at: lock)
        deferred(of: orphans).pointee.takeAll(from: &queue.pointee)
        model.expect(deferred(of: orphans).pointee.isPending, "taken over, and the hint says that nothing waits")
        ModelLock.unlock(at: lock)
        model.expect(!queue.pointee.isPending && queue.pointee.isEmpty, "left behind")
    }
    model.thread("service") {
        ServiceSignal.wait(on: scene.signal, untilNanoseconds: nil)
        _ = ServiceSignal.take(from: scene.signal)
        Reclamation.synchronize()
        ModelLock.lock(at: lock)
        var freed = deferred(of: orphans).drain(freeingThread: nil)
        ModelLock.unlock(at: lock)
        ended.join()
        freed += deferred(of: orphans).drain(freeingThread: nil)
        model.expect(freed == 1, "freed \(freed) times after its grace period")
        model.expect(!deferred(of: orphans).pointee.isPending, "nothing waits, and the hint says that something does")
    }
}

/// The queue by its own address: as floor 4 reaches it.
private func deferred(of participant: UnsafeMutablePointer<Participant>) -> UnsafeMutablePointer<DeferredQueue> {
    withUnsafePointer(to: participant.pointee.deferred) { .init(mutating: $0) }
}
#endif
