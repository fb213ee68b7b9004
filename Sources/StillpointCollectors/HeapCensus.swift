// What an interpreter's heap holds, by type: counted object by object, at a stop.

internal import StillpointMemory
internal import StillpointObjects
internal import StillpointPlatform
internal import StillpointThreads

/// The objects of one type.
public struct TypeStatistics: Equatable, Sendable {
    public let name: String
    public let objectCount: Int
    /// The blocks that the objects lie in, in bytes.
    public let byteCount: Int
}

/// What an interpreter's heap held at one moment. All counted.
public struct HeapCensus: Equatable, Sendable {
    /// Objects of all types.
    public internal(set) var objectCount = 0
    /// Their blocks, in bytes.
    public internal(set) var objectByteCount = 0
    /// Old memory of containers that waits for its grace period, and trash whose destroy functions have not run yet:
    /// blocks, and bytes.
    public internal(set) var retiredBlockCount = 0
    public internal(set) var retiredByteCount = 0
    /// Handles that hold an object.
    public internal(set) var handleCount = 0
    /// Memory of the heap that may be backed by the system, and address space held, in bytes.
    public internal(set) var committedByteCount = 0
    public internal(set) var reservedByteCount = 0
    /// Types that have objects, most bytes first.
    public internal(set) var types: [TypeStatistics] = []

    init() {}
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Stops the interpreter and counts. Any thread with a state of this interpreter attached, or none.
    /// - Throws: `.outOfMemory`, `.thread(.stopInsideStop)`.
    public func census() throws(CollectionError) -> HeapCensus {
        while true {
            var rows = try unsafe makeRows()
            let census = try unsafe census(&rows)
            if rows.unknown.objectCount == 0 { return census }  // else once more: a type made meanwhile is used
        }
    }

    /// The same with memory that was had before, and so never `.outOfMemory`. Objects of types made since then are
    /// counted together.
    public func census(with reserve: inout CollectionReserve) throws(CollectionError) -> HeapCensus {
        try unsafe census(&reserve.rows)
    }

    /// A row a type, had before the pause, and some for types made meanwhile.
    fileprivate func makeRows() throws(CollectionError) -> TypeRows {
        let typeCount = unsafe types.count + 64
        do throws(PlatformError) { return try TypeRows(count: typeCount) } catch { throw .outOfMemory }
    }

    private func census(_ rows: inout TypeRows) throws(CollectionError) -> HeapCensus {
        var census = HeapCensus()
        do throws(ThreadStateError) {
            let stopped = try unsafe StopTheWorld.begin(world, scope: pointee.roster)
            unsafe count(&census, &rows)
            stopped.resume()
        } catch { throw .thread(error) }
        census.types = unsafe rows.statistics(in: types)
        return census
    }

    private func count(_ census: inout HeapCensus, _ rows: inout TypeRows) {
        let statistics = unsafe heap.statistics()
        census.committedByteCount = statistics.committedBytes
        census.reservedByteCount = statistics.reservedBytes
        unsafe pointee.objects.visitHandles { _ in census.handleCount += 1 }
        unsafe heap.visitPages { page in
            let size = unsafe page.pointee.blockByteCount
            unsafe page.visitBlocks { object in
                if unsafe CollectorBits.isPassedBy(object) {
                    census.retiredBlockCount += 1
                    census.retiredByteCount += size
                    return
                }
                census.objectCount += 1
                census.objectByteCount += size
                rows.add(type: unsafe Objects.typeIndex(of: object), byteCount: size)
            }
            return true
        }
    }
}

/// Memory for collections and a census, had ahead of them, for who cannot go back when there is none any more.
@safe
public struct CollectionReserve: ~Copyable {
    var stack: MarkStack
    var rows: TypeRows

    /// - Throws: `.outOfMemory`.
    public init(for state: UnsafeMutablePointer<CollectorState>) throws(CollectionError) {
        let stack = try unsafe state.makeStack()
        let rows = try unsafe state.makeRows()
        self.stack = stack
        self.rows = rows
    }
}

/// Counters by type, in raw memory.
@safe
struct TypeRows: ~Copyable {
    struct Row {
        var objectCount = 0
        var byteCount = 0
    }

    private let rows: UnsafeMutablePointer<Row>
    private let count: Int
    /// Objects of types that there is no row for.
    private(set) var unknown = Row()

    init(count: Int) throws(PlatformError) {
        self.count = count
        let memory = try unsafe RawMemory.allocate(byteCount: count * MemoryLayout<Row>.stride)
        unsafe rows = memory.bindMemory(to: Row.self, capacity: count)
    }

    deinit { unsafe RawMemory.free(rows) }

    mutating func add(type index: UInt32, byteCount: Int) {
        guard index < count else {
            unknown.objectCount += 1
            unknown.byteCount += byteCount
            return
        }
        unsafe rows[Int(index)].objectCount += 1
        unsafe rows[Int(index)].byteCount += byteCount
    }

    borrowing func statistics(in types: UnsafeMutablePointer<TypeTable>) -> [TypeStatistics] {
        var result: [TypeStatistics] = []
        for index in 0..<count {
            let row = unsafe rows[index]
            guard row.objectCount > 0 else { continue }
            result.append(
                TypeStatistics(
                    name: unsafe types.name(of: UInt32(index)), objectCount: row.objectCount,
                    byteCount: row.byteCount))
        }
        if unknown.objectCount > 0 {
            result.append(
                TypeStatistics(
                    name: "types made since", objectCount: unknown.objectCount, byteCount: unknown.byteCount))
        }
        return result.sorted { ($0.byteCount, $1.name) > ($1.byteCount, $0.name) }
    }
}
