#if ModelCheck
// What a model takes as specified instead of running it: locks that have models of their own.

import StillpointPlatform

@testable import StillpointSynchronization

enum Specification {
    /// To be called in a model's set-up.
    static func take(_ locks: SpecifiedLock...) { SpecifiedLock.specified = locks }

    /// Before each run. What the process makes at its first use is made here: no model is about that.
    static func reset() {
        SpecifiedLock.specified = []
        ParkingLot.prepareForFork()
        Reclamation.resetForModel()
    }
}
#endif
