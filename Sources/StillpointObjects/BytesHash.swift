/// The hash of keys. Not keyed: an adversary who chooses the keys can make them collide.
public enum BytesHash {
    /// Two odd constants: the fractions of the golden ratio and of the square root of 3, in 64 bits.
    @inlinable static var first: UInt64 { 0x9E37_79B9_7F4A_7C15 }
    @inlinable static var second: UInt64 { 0xBB67_AE85_84CA_A73B }

    /// A well mixed 64-bit hash of `bytes`: eight at a time, each time the two halves of a 128-bit product folded.
    @inlinable
    public static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = first
        var offset = 0
        while offset &+ 8 <= bytes.count {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = fold(hash ^ UInt64(littleEndian: word), second)
            offset &+= 8
        }
        if offset < bytes.count {
            var word: UInt64 = 0
            var shift: UInt64 = 0
            while offset < bytes.count {
                unsafe word |= UInt64(bytes[offset]) &<< shift
                shift &+= 8
                offset &+= 1
            }
            hash = fold(hash ^ word, second)
        }
        return fold(hash ^ second, first ^ UInt64(truncatingIfNeeded: bytes.count))
    }

    @inlinable @inline(__always)
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
