// What a collection did, and why one was refused.

public import StillpointThreads

/// What one collection found and did. All counted or timed, nothing estimated.
public struct CollectionReport: Equatable, Sendable {
    /// Which collection of its interpreter this is: 1 for the first.
    public internal(set) var number: UInt64 = 0
    /// Roots that it marked from: handles in use.
    public internal(set) var rootCount = 0
    /// Objects in the heap when the world had stopped.
    public internal(set) var objectsFound = 0
    /// Of those, how many could not be reached and were freed.
    public internal(set) var objectsFreed = 0
    /// Of those freed, how many had references counted still: members of cycles, and what hangs on them. Counting alone
    /// would never have freed them.
    public internal(set) var cyclicObjectsFreed = 0
    /// Blocks that the freed objects lay in, in bytes.
    public internal(set) var bytesFreed = 0
    /// Blocks of the objects that were kept, in bytes.
    public internal(set) var bytesKept = 0
    /// Objects whose destroy function ran, after the pause.
    public internal(set) var objectsDestroyedAfterPause = 0
    /// From asking for the stop to all threads standing still.
    public internal(set) var timeToSafepointNanoseconds: UInt64 = 0
    /// From all threads standing still to all let go.
    public internal(set) var pauseNanoseconds: UInt64 = 0
    /// Of the pause, finding what can be reached.
    public internal(set) var markNanoseconds: UInt64 = 0
    /// Of the pause, freeing the rest.
    public internal(set) var sweepNanoseconds: UInt64 = 0
    /// The second pause, in which the pages that the destroyed objects left empty are given back; 0: there was none.
    public internal(set) var filePauseNanoseconds: UInt64 = 0
    /// How often the heap was walked because the mark stack was full and could not grow.
    public internal(set) var rescanCount = 0

    /// Objects that were reached and kept.
    public var objectsKept: Int { objectsFound - objectsFreed }

    init() {}
}

/// Why a collection was refused. Nothing was changed.
public enum CollectionError: Error, Equatable, CustomStringConvertible {
    /// There is no memory for the mark stack.
    case outOfMemory
    /// This thread collects already: a payload's destroy function asked for a collection.
    case insideCollection
    /// The thread has the world stopped, or has none attached: floor 4's reason.
    case thread(ThreadStateError)

    public var description: String {
        switch self {
        case .outOfMemory: "no memory to collect with"
        case .insideCollection: "a collection was asked for inside a collection"
        case .thread(let error): error.description
        }
    }
}
