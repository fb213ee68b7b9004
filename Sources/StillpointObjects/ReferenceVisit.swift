// Where an object's references lie: for destruction, and for collectors.

public import StillpointMemory
public import StillpointPlatform

/// A place in the heap that holds an object's address, or 0. Threads read it without a lock, so all access is atomic.
public typealias ReferenceSlot = UnsafeMutablePointer<Atomic<UInt>>

extension UnsafeMutablePointer where Pointee == Atomic<UInt> {
    /// The object in this slot, not counted. For who excludes others' stores: in a pause, of the dead, under a lock.
    @inlinable @inline(__always)
    public func loadObject() -> ObjectPointer? {
        // relaxed: the exclusion is the edge.
        unsafe ObjectPointer(bitPattern: pointee.load(ordering: .relaxed))
    }
}

extension Objects {
    /// Calls `body` with every reference slot of the object, those that hold nothing included. World stopped, or the
    /// object is the caller's alone.
    @inlinable @inline(__always)
    public static func visitReferences(
        of object: ObjectPointer, in types: UnsafeMutablePointer<TypeTable>,
        _ body: (ReferenceSlot) -> Void
    ) {
        let descriptor = unsafe types.descriptor(typeIndex(of: object))
        let count = unsafe descriptor.pointee.referenceCount
        if count > 0 {
            let offsets = unsafe descriptor.pointee.referenceOffsets!
            for index in 0..<count { unsafe body(slot(at: object + Int(offsets[index]))) }
        }
        let references = unsafe descriptor.pointee.elementReferences
        if references == 0 { return }
        let byteCount = unsafe Int(descriptor.pointee.elementByteCount)
        var element = unsafe object + BlockHeader.byteCount + descriptor.pointee.payloadByteCount
        for _ in 0..<(unsafe variableCount(of: object)) {
            var left = references
            while left != 0 {
                unsafe body(slot(at: element + left.trailingZeroBitCount * 8))
                left &= left &- 1
            }
            unsafe element += byteCount
        }
    }

    /// The size of the object: header, payload, and variable part, in bytes. Its block may be larger.
    @inlinable
    public static func byteCount(
        of object: ObjectPointer, in types: UnsafeMutablePointer<TypeTable>
    ) -> Int {
        let descriptor = unsafe types.descriptor(typeIndex(of: object))
        let fixed = unsafe BlockHeader.byteCount + descriptor.pointee.payloadByteCount
        let elementByteCount = unsafe Int(descriptor.pointee.elementByteCount)
        if elementByteCount == 0 { return fixed }
        return unsafe fixed + variableCount(of: object) * elementByteCount
    }

    /// How many elements the variable part has. Only for a type that has one.
    @inlinable @inline(__always)
    static func variableCount(of object: ObjectPointer) -> Int {
        // Immutable since before the type word was stored.
        unsafe (object + BlockHeader.byteCount).load(as: Int.self)
    }

    @inlinable @inline(__always)
    static func slot(at address: UnsafeMutableRawPointer) -> ReferenceSlot {
        unsafe address.assumingMemoryBound(to: Atomic<UInt>.self)
    }
}
