// Making objects: a block, the payload, and then the header, whose type word comes last.
//
// N1  Until its type word is stored, an object is a free block to visitors and to late readers; after, it is whole.
// N2  Between the block and the type word there is no safepoint, and nothing that fails.
// [born]  payload, owner and shared word  ->  the type word

public import StillpointMemory
public import StillpointPlatform
internal import StillpointThreads

/// Making objects. Each comes with one count, the caller's; the caller puts it into a handle before its next safepoint.
public enum Allocation {
    /// How many bytes a thread allocates between two looks at whether a collection is due.
    @inlinable static var creditByteCount: Int { 64 << 10 }

    /// An object whose payload is `value`. References in its fields are counted.
    @inlinable
    public static func make<Payload: ManagedPayload>(
        _ type: ManagedType<Payload>, _ value: Payload,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let index = unsafe type.index(for: thread)
        let object = try unsafe block(
            byteCount: BlockHeader.byteCount + MemoryLayout<Payload>.size, by: thread)
        let payload = unsafe object + BlockHeader.byteCount
        unsafe payload.initializeMemory(as: Payload.self, to: value)
        let descriptor = unsafe thread.own.pointee.types.descriptor(index)
        let count = unsafe descriptor.pointee.referenceCount
        if count > 0 {
            let offsets = unsafe descriptor.pointee.referenceOffsets!
            for index in 0..<count {
                let slot = unsafe Objects.slot(at: object + Int(offsets[index]))
                unsafe Barrier.initialize(slot, to: slot.loadObject(), by: thread)
            }
        }
        unsafe finish(object, type: index, by: thread)
        return unsafe object
    }

    /// An object of a type made by hand: fixed payload and variable part are zero, but for the number of elements.
    public static func make(
        typeIndex: UInt32, elementCount: Int = 0, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let object = try unsafe makeZeroed(typeIndex: typeIndex, elementCount: elementCount, by: thread)
        unsafe finish(object, type: typeIndex, by: thread)
        return unsafe object
    }

    // MARK: In two steps (N2)

    /// A block for an object of a type, zero but for its header and the number of elements.
    static func makeZeroed(
        typeIndex: UInt32, elementCount: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let descriptor = unsafe thread.own.pointee.types.descriptor(typeIndex)
        let elementByteCount = unsafe Int(descriptor.pointee.elementByteCount)
        let (variable, isOver) = elementCount.multipliedReportingOverflow(by: elementByteCount)
        if isOver || variable > 1 << 46 { throw OutOfMemory(requestedByteCount: .max) }
        let byteCount = unsafe descriptor.pointee.payloadByteCount + variable
        let object = try unsafe block(byteCount: BlockHeader.byteCount + byteCount, by: thread)
        let payload = unsafe object + BlockHeader.byteCount
        unsafe payload.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        if elementByteCount != 0 { unsafe payload.storeBytes(of: elementCount, as: Int.self) }
        return unsafe object
    }

    /// A block of memory that is no object yet.
    @inlinable @inline(__always)
    static func block(
        byteCount: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let credit = unsafe thread.own.pointee.allocationCredit &- byteCount
        unsafe thread.own.pointee.allocationCredit = credit
        if credit < 0 { unsafe noticeAllocationSlow(thread) }
        return try unsafe thread.heap.allocate(byteCount: byteCount)
    }

    /// Makes a block an object of the calling thread's, with one count.
    @inlinable @inline(__always)
    static func finish(
        _ object: ObjectPointer, type index: UInt32, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let header = unsafe object.header
        // relaxed, both: [born]
        unsafe header.pointee.owner.store(
            thread.own.pointee.ownerIdentifier | OwnerWord.one, ordering: .relaxed)
        unsafe header.pointee.shared.store(SharedWord.initial, ordering: .relaxed)
        unsafe thread.own.pointee.bornCount &+= 1
        unsafe header.pointee.type.store(index, ordering: .releasing)  // [born]
    }

    /// The same, with nobody as its owner: for what other threads are likely to give up.
    static func finishMerged(
        _ object: ObjectPointer, type index: UInt32, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        let header = unsafe object.header
        // relaxed, both: [born]
        unsafe header.pointee.owner.store(OwnerWord.nobody, ordering: .relaxed)
        unsafe header.pointee.shared.store(
            SharedWord.with(count: 1, state: SharedWord.merged), ordering: .relaxed)
        unsafe thread.own.pointee.bornCount &+= 1
        unsafe header.pointee.type.store(index, ordering: .releasing)  // [born]
    }

    @usableFromInline @inline(never)
    static func noticeAllocationSlow(_ thread: UnsafeMutablePointer<ObjectThread>) {
        require(
            unsafe Attachment.current == thread.record, "an object made by a thread state that is not attached here")
        unsafe thread.own.pointee.allocationCredit = creditByteCount
        let interpreter = unsafe thread.interpreter
        let threshold = unsafe interpreter.pointee.collectionThresholdByteCount.load(ordering: .relaxed)
        if unsafe interpreter.pointee.heap.allocatedBytesSinceLastCollection >= threshold {
            unsafe thread.record.setDue(ThreadWord.collectionDue)
        }
    }
}
