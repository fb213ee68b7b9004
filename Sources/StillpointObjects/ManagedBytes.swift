public import StillpointMemory
internal import StillpointPlatform

/// Immutable bytes, with their hash: keys, and the text of strings.
///
///     header 16 | count 8 | hash 8 | the bytes
public enum ManagedBytes {
    @inlinable static var hashOffset: Int { 24 }
    @inlinable static var bytesOffset: Int { 32 }

    /// An object of these bytes, with one count.
    public static func make(
        _ bytes: UnsafeRawBufferPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        try unsafe make(bytes, hash: BytesHash.of(bytes), by: thread)
    }

    /// The same, with the hash known.
    public static func make(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let object = try unsafe Allocation.block(byteCount: bytesOffset + bytes.count, by: thread)
        unsafe object.storeBytes(of: bytes.count, toByteOffset: 16, as: Int.self)
        unsafe object.storeBytes(of: hash, toByteOffset: hashOffset, as: UInt64.self)
        if let start = bytes.baseAddress {
            unsafe (object + bytesOffset).copyMemory(from: start, byteCount: bytes.count)
        }
        unsafe Allocation.finish(object, type: BuiltinType.bytes, by: thread)
        return unsafe object
    }

    /// How many bytes.
    @inlinable
    public static func count(of object: ObjectPointer) -> Int {
        unsafe Objects.variableCount(of: object)
    }

    /// The hash that was given, or `BytesHash`'s.
    @inlinable
    public static func hash(of object: ObjectPointer) -> UInt64 {
        unsafe object.load(fromByteOffset: hashOffset, as: UInt64.self)
    }

    /// The bytes in place, until the thread's next safepoint.
    @inlinable
    public static func bytes(of object: ObjectPointer) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: object + bytesOffset, count: count(of: object))
    }
}
