// The three words of an object's header, as values: how they are built and taken apart. Where they lie, and what they
// hold in a free block: `BlockHeader`.
//
//   owner   63 ............... 16 | 15 ....... 0     local count | owner identifier; or a link | 0 (dead, not yet free)
//   shared  31 ................ 2 | 1 ....... 0      shared count, signed | state
//   type    31 .. 26 | 25 .. 24 | 23 ......... 0     collector bits | lock | type index

public import StillpointMemory
public import StillpointPlatform

/// The address of an object: of its header. Good until the next safepoint of the thread that holds it; across one, a
/// root slot holds the object.
public typealias ObjectPointer = UnsafeMutableRawPointer

/// Values of the owner word.
public enum OwnerWord {
    /// Merged: no owner, no local count.
    @inlinable public static var nobody: UInt64 { 0 }
    /// The identifier that no thread state ever has; the object is never freed by its count.
    @inlinable public static var immortalIdentifier: UInt64 { 65_535 }
    /// The owner word of an immortal object.
    @inlinable public static var immortal: UInt64 { .max }
    /// One local count.
    @inlinable public static var one: UInt64 { 1 << 16 }

    @inlinable @inline(__always)
    public static func identifier(_ word: UInt64) -> UInt64 { word & 0xFFFF }

    @inlinable @inline(__always)
    public static func localCount(_ word: UInt64) -> UInt64 { word &>> 16 }

    /// The word of a dead object that is linked to `next`.
    @inlinable @inline(__always)
    static func link(to next: ObjectPointer?) -> UInt64 {
        // (address / 16) << 16; addresses of a program stay below 2^48.
        UInt64(UInt(bitPattern: next)) &<< 12
    }

    /// What a dead object is linked to.
    @inlinable @inline(__always)
    static func linked(_ word: UInt64) -> ObjectPointer? {
        assert(identifier(word) == 0, "a link in the word of a live object")
        return unsafe ObjectPointer(bitPattern: UInt(word &>> 12))
    }
}

/// Values of the shared word. The states are ordered: an object goes upwards only.
public enum SharedWord {
    /// As an object is born: nobody but its owner may revive a reference to it that is not counted.
    @inlinable public static var initial: UInt32 { 0 }
    /// Its address is, or was, where threads look without a lock: `tryRetain` can tell whether it lives.
    @inlinable public static var retainable: UInt32 { 1 }
    /// It stands in its owner's merge queue, which holds one count.
    @inlinable public static var queued: UInt32 { 2 }
    /// The shared count is the whole count.
    @inlinable public static var merged: UInt32 { 3 }
    @inlinable public static var stateMask: UInt32 { 3 }
    /// Merged with a count of zero: a dead object's word, and a free block's.
    @inlinable public static var dead: UInt32 { 3 }
    /// One shared count.
    @inlinable public static var one: UInt32 { 4 }

    /// At and past this count, up or down, a count is no longer kept: the object stays for ever.
    @inlinable public static var limit: Int { 1 << 28 }
    /// The count that stands for "no longer kept": so far from `limit` that no number of threads, each with one
    /// operation under way, gets it out of there.
    @inlinable public static var saturatedCount: Int { 3 << 27 }

    @inlinable @inline(__always)
    public static func state(_ word: UInt32) -> UInt32 { word & stateMask }

    @inlinable @inline(__always)
    public static func count(_ word: UInt32) -> Int { Int(Int32(bitPattern: word) &>> 2) }

    @inlinable @inline(__always)
    public static func isSaturated(_ word: UInt32) -> Bool { count(word).magnitude >= UInt(limit) }

    /// The word with this count, of less than 2^29 either way, and this state.
    @inlinable @inline(__always)
    public static func with(count: Int, state: UInt32) -> UInt32 {
        UInt32(bitPattern: Int32(truncatingIfNeeded: count) &<< 2) | state
    }
}

extension UnsafeMutableRawPointer {
    /// The header of the object, or of the free block, at this address. Its fields are atomic; a page of blocks stays
    /// one until a stop, so a late reader always finds a header (`PageReturn.whenStopped`).
    @inlinable @inline(__always)
    var header: UnsafeMutablePointer<BlockHeader> { unsafe BlockHeader.of(self) }
}

/// What can be asked of an object without counting it.
public enum Objects {
    /// The index of the object's type; 0 in a free block, or one that is not an object yet.
    @inlinable @inline(__always)
    public static func typeIndex(of object: ObjectPointer) -> UInt32 {
        // relaxed: who has a reference got it by an edge that comes after the store of the type word.
        unsafe object.header.pointee.type.load(ordering: .relaxed) & BlockHeader.typeIndexMask
    }

    /// Whether no count frees the object any more.
    public static func isImmortal(_ object: ObjectPointer) -> Bool {
        // relaxed: it may become so at any time.
        let owner = unsafe object.header.pointee.owner.load(ordering: .relaxed)
        let shared = unsafe object.header.pointee.shared.load(ordering: .relaxed)
        return OwnerWord.identifier(owner) == OwnerWord.immortalIdentifier
            || SharedWord.isSaturated(shared)
    }
}
