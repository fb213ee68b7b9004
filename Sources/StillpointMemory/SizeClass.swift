// Size classes: which block size serves a request.
//
// Steps of 16 bytes up to 128, then four classes a doubling up to 32 KiB, so that a request wastes less than
// a fifth of its block from 128 bytes on. The smallest block is 32 bytes: a 16-byte header and two words.
// The classes end at 32 KiB, where a page of one slice still holds two blocks; what is larger takes slices of its
// own (a class of one block a page would not save any).
// Source of the idea: mimalloc's bins, jemalloc's before it.

/// The class of blocks of one size. Finding it from a constant size costs nothing in an optimised build.
public struct SizeClass: Equatable, Sendable {
    /// 0 ..< `SizeClass.count`, ascending with the block size.
    public let index: Int

    /// How many classes there are.
    @inlinable public static var count: Int { 39 }

    /// The size of the largest class, in bytes.
    @inlinable public static var largestByteCount: Int { 32 * 1024 }

    /// The smallest class whose blocks hold `byteCount` bytes: 0 ... `largestByteCount`.
    @inlinable @inline(__always)
    public init(for byteCount: Int) {
        assert(byteCount >= 0 && byteCount <= SizeClass.largestByteCount)
        if byteCount <= 32 {
            index = 0
        } else if byteCount <= 128 {
            index = (byteCount &- 1) &>> 4 &- 1
        } else {
            let last = byteCount &- 1
            let exponent = Int.bitWidth &- 1 &- last.leadingZeroBitCount
            index = 7 &+ (exponent &- 7) &* 4 &+ (last &>> (exponent &- 2)) & 3
        }
    }

    /// The class at `index`.
    @inlinable @inline(__always)
    public init(index: Int) {
        assert(index >= 0 && index < SizeClass.count)
        self.index = index
    }

    /// The size of this class's blocks in bytes, header included.
    @inlinable @inline(__always)
    public var blockByteCount: Int {
        if index < 7 { return 32 &+ index &* 16 }
        let doubling = (index &- 7) &>> 2
        return (128 &<< doubling) &+ ((index &- 7) & 3 &+ 1) &* (32 &<< doubling)
    }
}
