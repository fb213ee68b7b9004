#if ModelCheck
// The service thread's signal: S1 and [request] of ServiceSignal.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var serviceSignalModels: [ProtocolModel] {
    [signalRequest, signalRepeatedRequest, signalLinger, signalDeadline]
}

private let work: UInt32 = 1
private let urgent: UInt32 = 2

/// A signal, and hints that requesters leave, as DeferredQueue does: relaxed, so that the request alone orders them.
private struct SignalScene {
    let signal: UnsafeMutablePointer<ServiceSignal>
    let hints: UnsafeMutablePointer<Atomic<Int>>

    init(_ model: Model) {
        signal = model.allocate(ServiceSignal.self)
        signal.initialize(to: ServiceSignal())
        hints = model.allocate(Atomic<Int>.self, count: 2, alignment: 8)
        for index in 0..<2 { (hints + index).initialize(to: Atomic(0)) }
        model.name(signal, "bits")
        model.name(hints, "first hint")
        model.name(hints + 1, "second hint")
    }

    func request(_ bit: UInt32, hint: Int) {
        hints[hint].store(1, ordering: .relaxed)
        ServiceSignal.request(bit, of: signal)
    }

    func hint(_ index: Int) -> Bool { hints[index].load(ordering: .relaxed) == 1 }
}

private let signalRequest = ProtocolModel(
    "service signal: a request",
    "S1 [request]: it ends the wait, is taken once, and brings what was written before it.",
    smoke: [.sleepSets(staleReads: 2)]
) { model in
    let scene = SignalScene(model)
    let data = model.allocate(Int.self)
    model.thread("requester") {
        data.pointee = 1
        ServiceSignal.request(work, of: scene.signal)
    }
    model.thread("service") {
        ServiceSignal.wait(on: scene.signal, untilNanoseconds: nil)
        model.expect(ServiceSignal.take(from: scene.signal) == work, "S1: the bit that ended the wait is not taken")
        model.expect(data.pointee == 1, "[request]: what the requester wrote is not seen")
    }
    model.finally { model.expect(ServiceSignal.take(from: scene.signal) == 0, "a bit was taken, and is there still") }
}

private let signalRepeatedRequest = ProtocolModel(
    "service signal: a request that is pending already",
    "S1 [request]: the hint of each requester is found, whoever of them set the bit.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = SignalScene(model)
    for index in 0..<2 {
        model.thread("requester \(index + 1)") { scene.request(work, hint: index) }
    }
    model.thread("service") {
        while !(scene.hint(0) && scene.hint(1)) {
            ServiceSignal.wait(on: scene.signal, untilNanoseconds: nil)
            _ = ServiceSignal.take(from: scene.signal)
        }
    }
}

private let signalLinger = ProtocolModel(
    "service signal: an urgent request while the service lingers",
    "S1: what is not urgent does not end it, and hides nothing that is.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    let scene = SignalScene(model)
    model.thread("requester") { scene.request(work, hint: 0) }
    model.thread("urgent requester") { scene.request(urgent, hint: 1) }
    model.thread("service") {
        ServiceSignal.wait(on: scene.signal, untilNanoseconds: nil)
        ServiceSignal.linger(on: scene.signal, unlessAny: urgent, untilNanoseconds: .max)
        let taken = ServiceSignal.take(from: scene.signal)
        model.expect(taken & urgent != 0, "S1: the linger has ended, but no urgent bit is taken")
        model.expect(scene.hint(1), "[request]: what the urgent requester wrote is not seen")
        model.expect(taken & work == 0 || scene.hint(0), "[request]: what the requester wrote is not seen")
    }
}

private let signalDeadline = ProtocolModel(
    "service signal: deadlines", "A wait and a linger end at their deadline; what they miss is there for the next.",
    smoke: [.sleepSets(staleReads: 1)]
) { model in
    let scene = SignalScene(model)
    model.thread("requester") { scene.request(work, hint: 0) }
    model.thread("service") {
        ServiceSignal.wait(on: scene.signal, untilNanoseconds: 2_000_000_000)
        ServiceSignal.linger(on: scene.signal, unlessAny: urgent, untilNanoseconds: 3_000_000_000)
        let taken = ServiceSignal.take(from: scene.signal)
        model.expect(taken == 0 || scene.hint(0), "[request]: what the requester wrote is not seen")
        model.outcome(taken == 0 ? "the deadline came first" : "taken")
    }
}
#endif
