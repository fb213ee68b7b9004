#if ModelCheck
// What a model takes as specified instead of running it: locks that have models of their own.

import StillpointPlatform

enum Specification {
    /// To be called in a model's set-up.
    static func take(_ locks: SpecifiedLock...) { SpecifiedLock.specified = locks }

    static func reset() { SpecifiedLock.specified = [] }
}
#endif
