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
            // A row a type, had before the pause. A type made meanwhile, and used: once more.
            let typeCount = unsafe types.count + 64
            var rows: TypeRows
            do throws(PlatformError) { rows = try TypeRows(count: typeCount) } catch {
                throw .outOfMemory
            }
            var census = HeapCensus()
            do throws(ThreadStateError) {
                let stopped = try unsafe StopTheWorld.begin(world, scope: pointee.roster)
                unsafe count(&census, &rows)
                stopped.resume()
            } catch { throw .thread(error) }
            if rows.hasUnknown { continue }
            census.types = unsafe rows.statistics(in: types)
            return census
        }
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

/// Counters by type, in raw memory.
@safe
private struct TypeRows: ~Copyable {
    struct Row {
        var objectCount = 0
        var byteCount = 0
    }

    private let rows: UnsafeMutablePointer<Row>
    private let count: Int
    /// Whether a type was met that there is no row for.
    private(set) var hasUnknown = false

    init(count: Int) throws(PlatformError) {
        self.count = count
        let memory = try unsafe RawMemory.allocate(byteCount: count * MemoryLayout<Row>.stride)
        unsafe rows = memory.bindMemory(to: Row.self, capacity: count)
    }

    deinit { unsafe RawMemory.free(rows) }

    mutating func add(type index: UInt32, byteCount: Int) {
        guard index < count else {
            hasUnknown = true
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
        return result.sorted { ($0.byteCount, $1.name) > ($1.byteCount, $0.name) }
    }
}
