// The payload that lists and dictionaries have, and what every change of a storage has in common.
//
//     header 16 | storage 8 | count 8          the container
//     header 16 | capacity 8 | elements        its storage, an object that the container alone refers to
//
// S1  A storage is replaced, and its elements changed, under the container's lock alone.
// S2  A storage is complete before it is published; it is retired after it was replaced (Retirement.swift).
// S3  Readers take no lock: they load the storage, an element of it, retain the element, and then load both again.
//     If both are the same, the container held the element when it was retained (B3).
// S4  A storage has no owner, as it may be given up by any thread.
//
// [storage]  a storage's contents  ->  whoever loads it from its container

public import StillpointMemory
public import StillpointPlatform
internal import StillpointThreads

/// The payload of a container.
@usableFromInline
struct ContainerBody: ~Copyable {
    /// The storage, or 0 before the first. atomic, edges [storage]; stored under the lock
    @usableFromInline let storage: Atomic<UInt>
    /// How many elements. Stored under the lock; atomic, no edge: by itself a number
    @usableFromInline let count: Atomic<Int>

    @inlinable @inline(__always)
    static func of(_ container: ObjectPointer) -> UnsafeMutablePointer<ContainerBody> {
        unsafe (container + BlockHeader.byteCount).assumingMemoryBound(to: ContainerBody.self)
    }
}

extension UnsafeMutablePointer where Pointee == ContainerBody {
    /// The storage, for a reader (S3).
    @inlinable @inline(__always)
    func loadStorage() -> ObjectPointer? {
        unsafe ObjectPointer(bitPattern: pointee.storage.load(ordering: .acquiring))  // [storage]
    }

    /// Publishes `new` and retires what it replaces, as old storage of type `retired`. The lock is held.
    func replaceStorage(
        with new: ObjectPointer?, retiring retired: UInt32, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        require(
            unsafe Attachment.current == thread.record, "a container changed by a thread state that is not attached here")
        let old = unsafe pointee.storage.load(ordering: .relaxed)
        unsafe pointee.storage.store(UInt(bitPattern: new), ordering: .releasing)  // [storage]
        if let old = unsafe ObjectPointer(bitPattern: old) {
            unsafe Retirement.retire(old, as: retired, by: thread)
        }
    }
}

/// References that a removal takes out of a container, until the container's lock is let go and they can die.
@unsafe
struct RemovedReferences: ~Copyable {
    private let start: UnsafeMutablePointer<ObjectPointer>
    private(set) var count = 0

    init(capacity: Int) throws(OutOfMemory) {
        let (byteCount, isOver) = capacity.multipliedReportingOverflow(by: 8)
        if isOver { throw OutOfMemory(requestedByteCount: .max) }
        do throws(PlatformError) {
            unsafe start = try RawMemory.allocate(byteCount: byteCount)
                .bindMemory(to: ObjectPointer.self, capacity: capacity)
        } catch {
            throw OutOfMemory(requestedByteCount: byteCount)
        }
    }

    deinit { unsafe RawMemory.free(start) }

    mutating func append(_ object: ObjectPointer) {
        unsafe start[count] = object
        unsafe count += 1
    }

    consuming func releaseAll(by thread: UnsafeMutablePointer<ObjectThread>) {
        for index in 0..<(unsafe count) { unsafe Counting.release(start[index], by: thread) }
    }
}
