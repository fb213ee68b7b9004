// The first 16 bytes of a block, as this floor sees them.
//
// A lock-free reader may hold the address of a block that has been freed a moment ago, and look at its header. So
// every access to these bytes is atomic, free blocks included, and a free block is one on which every attempt to
// retain fails:
//
//                 offset 0, 64 bits            offset 8, 32 bits        offset 12, 32 bits
//   free          link << 16 | 0 (nobody's)    3 (count 0, merged)      0
//   just handed   as it was when free          3                        0
//   object        the objects floor's          the objects floor's      type index in bits 0 ..< 24, not 0
//
// where link is the address of the next free block divided by 16. A block counts as live for a visitor from the store
// of its type word on.
//
// All accesses here are relaxed: what a late reader concludes from the header it checks again at the slot that it
// took the address from, and who hands a block on orders that by an edge of its own (Page.swift).

public import StillpointPlatform

/// The header of a block in a page heap. All access is atomic.
public struct BlockHeader: ~Copyable {
    /// The owner word of an object; the link of a free block.
    public let owner: Atomic<UInt64>
    /// The shared count and its flags; `BlockHeader.freeShared` in a free block.
    public let shared: Atomic<UInt32>
    /// Type index, lock and collector bits; 0 in a free block.
    public let type: Atomic<UInt32>

    /// Its size in bytes: what stays readable of a block after it was freed.
    @inlinable public static var byteCount: Int { 16 }
    /// The shared field of a free block: merged, and the count is zero.
    @inlinable public static var freeShared: UInt32 { 3 }
    /// The bits of the type word that hold the type index.
    @inlinable public static var typeIndexMask: UInt32 { 0xFF_FFFF }

    /// The header of the block at `block`.
    @inlinable @inline(__always)
    public static func of(_ block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<BlockHeader> {
        unsafe block.assumingMemoryBound(to: BlockHeader.self)
    }

    /// Whether the block at `block` holds an object.
    @inlinable @inline(__always)
    public static func isLive(_ block: UnsafeMutableRawPointer) -> Bool {
        // relaxed: asked while the world is stopped.
        unsafe of(block).pointee.type.load(ordering: .relaxed) & typeIndexMask != 0
    }

    /// Writes the header of a free block whose successor in its list is `next`.
    @inlinable @inline(__always)
    static func writeFree(_ block: UnsafeMutableRawPointer, next: UnsafeMutableRawPointer?) {
        let header = unsafe of(block)
        unsafe header.pointee.type.store(0, ordering: .relaxed)
        unsafe header.pointee.shared.store(freeShared, ordering: .relaxed)
        unsafe writeLink(block, next: next)
    }

    /// Writes the link of a block whose header is that of a free block already.
    @inlinable @inline(__always)
    static func writeLink(_ block: UnsafeMutableRawPointer, next: UnsafeMutableRawPointer?) {
        // (address / 16) << 16; addresses of this system's user half stay below 2^48.
        unsafe of(block).pointee.owner.store(
            UInt64(UInt(bitPattern: next)) &<< 12, ordering: .relaxed)
    }

    /// The block that follows `block`, a free one, in its list.
    @inlinable @inline(__always)
    static func readLink(_ block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let link = unsafe of(block).pointee.owner.load(ordering: .relaxed)
        return unsafe UnsafeMutableRawPointer(bitPattern: UInt(link &>> 12))
    }
}
