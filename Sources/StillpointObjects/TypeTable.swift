// The types of a runtime, by index: an array in reserved address space, so that an entry never moves and reading one
// takes no lock. An index is 24 bits of an object's type word; 0 is no type.
//
// T1  Entries 1 ... `count` are complete and do not change. An entry is written before its index is known to anybody.
// T2  An index is not used again.
// Limits: types are not collected (T2).

internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointSynchronization

/// The table. In raw memory, as long as its runtime.
@safe
public struct TypeTable: ~Copyable {
    /// How many types there can be.
    public static let largestCount = 1 << 24 - 1

    /// immutable; entry 0 is not used
    @usableFromInline let entries: UnsafeMutablePointer<TypeDescriptor>
    /// What its types know it by: an address may be that of another table later. immutable
    @usableFromInline let number: UInt32
    private let reservedByteCount: Int
    /// immutable; smaller in tests
    let limit: Int
    /// Guards additions. A leaf but for memory of the C allocator and the system.
    let lock = ParkingMutex()
    /// How much of the address space has memory, in bytes. guarded by lock
    var committedByteCount = 0
    /// atomic, written under lock, for who asks how many there are
    let lastIndex = Atomic<Int>(0)

    /// The number of the table made last in this process.
    private static let lastNumber = Atomic<UInt32>(0)

    /// How much memory is added at a time.
    static let growthByteCount = 64 << 10

    init(limit: Int) throws(PlatformError) {
        require(1...Self.largestCount ~= limit, "a type index has 24 bits")
        self.limit = limit
        number = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue  // by itself a number
        let needed = unsafe (limit + 1) * MemoryLayout<TypeDescriptor>.stride
        reservedByteCount = (needed + Self.growthByteCount - 1) / Self.growthByteCount
            * Self.growthByteCount
        unsafe entries = unsafe try AddressSpace.reserve(
            byteCount: reservedByteCount, alignment: AddressSpace.pageByteCount
        ).bindMemory(to: TypeDescriptor.self, capacity: limit + 1)
    }

    deinit {
        for index in stride(from: 1, through: lastIndex.load(ordering: .relaxed), by: 1) {
            unsafe RawMemory.free(entries[index].referenceOffsets)
            unsafe RawMemory.free(entries[index].name.baseAddress)
        }
        unsafe AddressSpace.release(entries, byteCount: reservedByteCount)
    }
}

extension UnsafeMutablePointer where Pointee == TypeTable {
    /// The entry of a type.
    @inlinable @inline(__always)
    public func descriptor(_ index: UInt32) -> UnsafeMutablePointer<TypeDescriptor> {
        unsafe pointee.entries + Int(index)
    }

    /// How many types there are.
    public var count: Int { unsafe pointee.lastIndex.load(ordering: .acquiring) }

    /// The name of a type.
    public func name(of index: UInt32) -> String {
        unsafe String(decoding: descriptor(index).pointee.name, as: UTF8.self)
    }

    /// Makes a type of a hand-made layout; returns its index.
    public func add(_ layout: TypeLayout) throws(TypeError) -> UInt32 {
        try unsafe add(
            layout, elements: layout.variablePart.layout, payloadType: nil, isRetired: false)
    }

    /// Makes a type whose payload is a Swift struct.
    public func add<Payload: ManagedPayload>(
        _ type: Payload.Type, name: String? = nil
    ) throws(TypeError) -> ManagedType<Payload> {
        let alignment = MemoryLayout<Payload>.alignment
        if alignment > BlockHeader.byteCount { throw .unsuitableAlignment(alignment) }
        var layout = unsafe TypeLayout(
            name: name ?? String(describing: type), payloadByteCount: MemoryLayout<Payload>.size)
        for (position, path) in Payload.references.enumerated() {
            guard Swift.type(of: path).valueType is any ReferenceField.Type,
                let offset = MemoryLayout<Payload>.offset(of: path)
            else { throw .notAReference(position: position) }
            layout.referenceOffsets.append(offset)
        }
        let isTrivial = _isPOD(type)
        let index = try unsafe add(
            layout, elements: VariablePart.none.layout, payloadType: isTrivial ? nil : type,
            isRetired: false)
        return unsafe ManagedType(index: index, table: pointee.number)
    }

    /// Makes any type.
    func add(
        _ layout: TypeLayout, elements: ElementLayout, payloadType: (any ManagedPayload.Type)?,
        isRetired: Bool
    ) throws(TypeError) -> UInt32 {
        let size = layout.payloadByteCount
        guard size >= (elements.byteCount == 0 ? 0 : 8), size <= 1 << 31 else {
            throw .unsuitableSize(size)
        }
        for (position, offset) in layout.referenceOffsets.enumerated() {
            guard offset >= 0, offset % 8 == 0, offset + 8 <= size else {
                throw .notAReference(position: position)
            }
        }
        unsafe pointee.lock.lock()
        defer { unsafe pointee.lock.unlock() }
        let index = unsafe pointee.lastIndex.load(ordering: .relaxed) + 1
        if unsafe index > pointee.limit { throw .tooManyTypes }
        do throws(PlatformError) {
            try unsafe commit(upTo: index)
            let offsets = try unsafe copyOffsets(layout.referenceOffsets)
            let name: UnsafeMutableBufferPointer<UInt8>
            do throws(PlatformError) {
                unsafe name = try copyName(layout.name)
            } catch {
                unsafe RawMemory.free(offsets)
                throw error
            }
            unsafe descriptor(UInt32(index)).initialize(
                to: TypeDescriptor(
                    payloadByteCount: size, referenceOffsets: offsets,
                    referenceCount: layout.referenceOffsets.count,
                    elementByteCount: elements.byteCount, elementReferences: elements.references,
                    isRetired: isRetired, payloadType: payloadType, destroy: layout.destroy,
                    name: name))
        } catch {
            throw .outOfMemory(error)
        }
        unsafe pointee.lastIndex.store(index, ordering: .releasing)  // T1
        return UInt32(index)
    }

    /// Sees to it that the entry of `index` has memory. The lock is held.
    private func commit(upTo index: Int) throws(PlatformError) {
        let needed = unsafe (index + 1) * MemoryLayout<TypeDescriptor>.stride
        while unsafe pointee.committedByteCount < needed {
            let start = unsafe UnsafeMutableRawPointer(pointee.entries) + pointee.committedByteCount
            try unsafe AddressSpace.commit(start, byteCount: TypeTable.growthByteCount)
            unsafe pointee.committedByteCount += TypeTable.growthByteCount
        }
    }

    private func copyOffsets(
        _ offsets: [Int]
    ) throws(PlatformError) -> UnsafeMutablePointer<UInt32>? {
        if offsets.isEmpty { return nil }
        let copy = unsafe try RawMemory.allocate(byteCount: offsets.count * 4)
            .bindMemory(to: UInt32.self, capacity: offsets.count)
        for (index, offset) in offsets.enumerated() {
            unsafe copy[index] = UInt32(offset + BlockHeader.byteCount)
        }
        return unsafe copy
    }

    private func copyName(
        _ name: String
    ) throws(PlatformError) -> UnsafeMutableBufferPointer<UInt8> {
        let count = name.utf8.count
        let memory = try unsafe RawMemory.allocate(byteCount: count)
        let copy = unsafe UnsafeMutableBufferPointer(
            start: memory.bindMemory(to: UInt8.self, capacity: count), count: count)
        _ = unsafe copy.initialize(from: name.utf8)
        return unsafe copy
    }
}
