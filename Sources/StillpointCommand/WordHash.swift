// A hash of short byte strings, for tables of one thread: eight bytes a step, folded by a full
// multiplication (the idea of wyhash, by Wang Yi). No defence against chosen input: a text made to
// collide makes this program slow and nothing else.

enum WordHash {
    @inline(__always)
    static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        var state = UInt64(truncatingIfNeeded: count) ^ 0x2545_F491_4F6C_DD1D
        var index = 0
        while index &+ 8 <= count {
            state = fold(state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        return fold(state ^ rest)
    }

    @inline(__always)
    private static func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        return product.high ^ product.low &+ 0x9E37_79B9_7F4A_7C15
    }
}
