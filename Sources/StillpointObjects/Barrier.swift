// The one place through which references are stored into objects, and read from them while others may store.
//
// B1  A slot that holds an object holds a count of it.
// B2  An object whose address is in a slot is one that `tryRetain` can decide about (R5).
// B3  A reader without a lock: load the slot, try to retain, load it again. If both loads gave the same address, the
//     slot held a count of that object when it was retained, so the object that was retained is the one.
//
// [publish]  what was written to an object before it was stored in a slot  ->  who loads it from there

internal import StillpointMemory
public import StillpointPlatform

/// Stores and loads of references in the heap.
public enum Barrier {
    /// Stores `new`, which the caller has, into a slot of `object`, counts it, and gives up what was there. Any
    /// thread, at any time: of two stores at once, one comes first.
    @inlinable @inline(__always)
    public static func store(
        _ new: ObjectPointer?, into slot: ReferenceSlot, of object: ObjectPointer,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        if let new = unsafe new {
            unsafe Counting.retain(new, by: thread)
            unsafe Counting.enableTryRetain(new)  // B2
        }
        unsafe storeCounted(new, into: slot, of: object, by: thread)
    }

    /// The same, with a count that the caller has and gives to the slot, of an object enabled already.
    @inlinable @inline(__always)
    static func storeCounted(
        _ new: ObjectPointer?, into slot: ReferenceSlot, of object: ObjectPointer,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        // releasing [publish]; acquiring: what is given up may die here, so its contents must be seen.
        let old = unsafe slot.pointee.exchange(UInt(bitPattern: new), ordering: .acquiringAndReleasing)
        if let old = unsafe ObjectPointer(bitPattern: old) { unsafe Counting.release(old, by: thread) }
    }

    /// Stores the first value of a slot of an object that nobody else can see yet.
    @inlinable @inline(__always)
    public static func initialize(
        _ slot: ReferenceSlot, to new: ObjectPointer?, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        if let new = unsafe new {
            unsafe Counting.retain(new, by: thread)
            unsafe Counting.enableTryRetain(new)  // B2
        }
        // relaxed: the object is published later.
        unsafe slot.pointee.store(UInt(bitPattern: new), ordering: .relaxed)
    }

    /// The object in a slot, with a count that is the caller's; nil if the slot is empty. Takes no lock (B3).
    @inlinable @inline(__always)
    public static func load(
        _ slot: ReferenceSlot, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectPointer? {
        while true {
            let bits = unsafe slot.pointee.load(ordering: .acquiring)  // [publish]
            guard let object = unsafe ObjectPointer(bitPattern: bits) else { return nil }
            if unsafe Counting.tryRetain(object, by: thread) {
                // acquiring: not before the retain. The owner's retain is no acquire, but nobody destroys what the
                // owner has counted before the owner's next safepoint.
                if unsafe slot.pointee.load(ordering: .acquiring) == bits { return unsafe object }
                unsafe Counting.release(object, by: thread)
            }
        }
    }
}
