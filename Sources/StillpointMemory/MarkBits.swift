// Mark bits: one for each 16 bytes of a segment, in its slice 0, found from the block's address alone. Marking
// touches neither the object nor the page's record; clearing is a memset.
//
// The world is stopped, and one thread marks, so the accesses are plain. When several mark, `testAndSet` becomes a
// relaxed load and, where the bit is clear, a relaxed atomic or: the word's other bits belong to other blocks.

/// The mark bits of the blocks of page heaps. World stopped.
public enum MarkBits {
    /// Marks the block at `block`; whether it was marked already.
    @inlinable @inline(__always)
    public static func testAndSet(_ block: UnsafeMutableRawPointer) -> Bool {
        let (word, bit) = unsafe place(of: block)
        let old = unsafe word.pointee
        unsafe word.pointee = old | bit
        return old & bit != 0
    }

    /// Whether the block at `block` is marked.
    @inlinable @inline(__always)
    public static func isMarked(_ block: UnsafeMutableRawPointer) -> Bool {
        let (word, bit) = unsafe place(of: block)
        return unsafe word.pointee & bit != 0
    }

    /// Unmarks every block of `page`.
    public static func clear(_ page: UnsafeMutablePointer<Page>) {
        let byteCount = unsafe page.isSingle ? 8 : SegmentLayout.sliceByteCount / 16 / 8
        let (word, _) = unsafe place(of: page.firstBlock)
        unsafe UnsafeMutableRawPointer(word).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    @inlinable @inline(__always)
    static func place(
        of block: UnsafeMutableRawPointer
    ) -> (word: UnsafeMutablePointer<UInt64>, bit: UInt64) {
        let address = UInt(bitPattern: block)
        let base = address & ~UInt(SegmentLayout.byteCount &- 1)
        let granule = (address & UInt(SegmentLayout.byteCount &- 1)) &>> 4
        let word = base &+ UInt(SegmentLayout.markBitsOffset) &+ (granule &>> 6) &<< 3
        return unsafe (UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped, 1 &<< UInt64(granule & 63))
    }
}
