// What was measured of stops.

internal import StillpointPlatform
internal import StillpointThreads

/// The two durations of stops, kept apart: bringing threads to a safepoint, and keeping them there.
struct StopMeasures {
    let pauses: DurationSummary
    let timeToSafepoint: DurationSummary

    /// Of all stops in a runtime.
    init(of world: UnsafeMutablePointer<World>) {
        pauses = unsafe world.pointee.pause.snapshot()
        timeToSafepoint = unsafe world.pointee.timeToSafepoint.snapshot()
    }

    /// Of the stops of one interpreter alone.
    init(of roster: UnsafeMutablePointer<Roster>) {
        pauses = unsafe roster.pointee.pause.snapshot()
        timeToSafepoint = unsafe roster.pointee.timeToSafepoint.snapshot()
    }
}
