#if ModelCheck
// Events: E1, E2 and [set] of Event.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var eventModels: [ProtocolModel] {
    [
    ProtocolModel(
        "event: set against wait", "who waits returns, and sees what the setter wrote before [set]",
        smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 2, staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let event = model.allocate(Event.self)
        event.initialize(to: Event())
        let data = model.allocate(Int.self)
        model.thread("waiter") {
            event.pointee.wait()
            model.expect(data.pointee == 1, "[set]: the waiter does not see what the setter wrote")
        }
        model.thread("setter") {
            data.pointee = 1
            event.pointee.set()
        }
    },
    ]
}
#endif
