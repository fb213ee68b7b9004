// What the objects of all interpreters of a runtime share: the types, and who owns.

public import StillpointPlatform

/// One a runtime, in raw memory.
public struct RuntimeObjects: ~Copyable {
    var typeTable: TypeTable
    var ownerTable: OwnerTable

    /// - Parameters:
    ///   - maximumTypeCount: how many types there can be, those built in included; at most 2^24 - 1.
    ///   - maximumThreadCount: how many thread states there can be at a time; at most 65,534.
    public static func make(
        maximumTypeCount: Int = TypeTable.largestCount,
        maximumThreadCount: Int = OwnerTable.largestIdentifier
    ) throws(PlatformError) -> UnsafeMutablePointer<RuntimeObjects> {
        let memory = try unsafe RawMemory.allocate(
            byteCount: MemoryLayout<RuntimeObjects>.stride, alignment: 128)
        let runtime = unsafe memory.bindMemory(to: RuntimeObjects.self, capacity: 1)
        do throws(PlatformError) {
            unsafe runtime.initialize(
                to: RuntimeObjects(
                    typeTable: try TypeTable(limit: maximumTypeCount),
                    ownerTable: try OwnerTable(limit: maximumThreadCount)))
        } catch {
            unsafe RawMemory.free(memory)
            throw error
        }
        do throws(TypeError) {
            try unsafe BuiltinType.addAll(to: runtime.types)
        } catch {
            unsafe destroy(runtime)
            if case .outOfMemory(let cause) = error { throw cause }
            endProcess("no room for the types that are built in: \(error)")
        }
        return unsafe runtime
    }

    /// Frees it. Its interpreters are destroyed already.
    public static func destroy(_ runtime: UnsafeMutablePointer<RuntimeObjects>) {
        unsafe runtime.deinitialize(count: 1)
        unsafe RawMemory.free(runtime)
    }
}

extension UnsafeMutablePointer where Pointee == RuntimeObjects {
    /// The types of the runtime.
    public var types: UnsafeMutablePointer<TypeTable> {
        // A field of a structure that stays where it is.
        unsafe withUnsafePointer(to: pointee.typeTable) { unsafe .init(mutating: $0) }
    }

    /// Who the owner identifiers mean.
    public var owners: UnsafeMutablePointer<OwnerTable> {
        unsafe withUnsafePointer(to: pointee.ownerTable) { unsafe .init(mutating: $0) }
    }
}
