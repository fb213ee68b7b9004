public import StillpointMemory
public import StillpointPlatform

/// A fixed number of references. Each is read and stored by itself, by any thread, without a lock.
///
///     header 16 | count 8 | the references
public enum ManagedArray {
    @inlinable static var elementsOffset: Int { 24 }

    /// An array of `count` empty slots, with one count.
    public static func make(
        count: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        require(count >= 0, "an array of a negative count")
        return try unsafe Allocation.make(
            typeIndex: BuiltinType.array, elementCount: count, by: thread)
    }

    /// How many slots.
    @inlinable
    public static func count(of array: ObjectPointer) -> Int {
        unsafe Objects.variableCount(of: array)
    }

    /// The slot at `index`, until the thread's next safepoint.
    @inlinable @inline(__always)
    public static func slot(of array: ObjectPointer, at index: Int) -> ReferenceSlot {
        require(
            index >= 0 && index < (unsafe Objects.variableCount(of: array)), "array index out of range")
        return unsafe Objects.slot(at: array + elementsOffset + index &* 8)
    }

    /// The object at `index`, with a count for the caller.
    @inlinable
    public static func load(
        _ array: ObjectPointer, _ index: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectPointer? {
        unsafe Barrier.load(slot(of: array, at: index), by: thread)
    }

    /// Stores `new`, or nothing, at `index`.
    @inlinable
    public static func store(
        _ new: ObjectPointer?, into array: ObjectPointer, at index: Int,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe Barrier.store(new, into: slot(of: array, at: index), of: array, by: thread)
    }
}
