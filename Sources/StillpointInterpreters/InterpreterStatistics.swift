// What an interpreter holds and has done so far.

public import StillpointCollectors

/// What an interpreter held at one moment, and what its collections freed until then. All counted.
public struct InterpreterStatistics: Equatable, Sendable {
    /// The heap, object by object.
    public let census: HeapCensus
    /// Collections so far.
    public let collectionCount: Int
    /// What they freed, in objects and in bytes of their blocks.
    public let objectsFreedByCollections: Int
    public let bytesFreedByCollections: Int

    public var objectCount: Int { census.objectCount }
    public var objectByteCount: Int { census.objectByteCount }
    public var handleCount: Int { census.handleCount }
    public var committedByteCount: Int { census.committedByteCount }
    public var reservedByteCount: Int { census.reservedByteCount }
    public var types: [TypeStatistics] { census.types }

    init(census: HeapCensus, totals: (collections: UInt64, objectsFreed: Int, bytesFreed: Int)) {
        self.census = census
        collectionCount = Int(totals.collections)
        objectsFreedByCollections = totals.objectsFreed
        bytesFreedByCollections = totals.bytesFreed
    }
}
