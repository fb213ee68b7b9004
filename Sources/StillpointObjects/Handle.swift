// A handle as the compiler sees it: a value that cannot be copied by accident and is ended exactly once.

public import StillpointMemory
public import StillpointPlatform
public import StillpointThreads

/// One count of an object, in a root slot. It keeps the object alive, finds it wherever it is moved, and may be sent
/// from thread to thread; at any time one thread uses it.
///
/// It ends on a thread attached to its interpreter, before the interpreter does; anything else ends the process with a
/// message, since there is nobody whose heap the object could go back to.
///
/// `Payload` says what the object is: a `ManagedPayload`, a container's name, or `ManagedObject`.
@frozen @safe
public struct Handle<Payload: ~Copyable>: ~Copyable, @unchecked Sendable {
    /// The root slot: what names the object to critical sections and containers, for as long as the handle.
    public let slot: ObjectSlot

    /// Takes over a count of `object` that is the caller's. If it throws, that count has been given up.
    @inlinable
    public init(
        adopting object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) {
        guard let slot = unsafe HandleTable.take(holding: object, by: thread) else {
            unsafe Counting.release(object, by: thread)
            throw OutOfMemory(requestedByteCount: 4096)
        }
        unsafe self.slot = slot
    }

    /// Adds a count of `object`, which is alive.
    @inlinable
    public init(
        retaining object: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) {
        unsafe Counting.retain(object, by: thread)
        try unsafe self.init(adopting: object, by: thread)
    }

    /// Takes over the count of an object that `body` takes from somewhere; nil: it found none. The handle's slot is had
    /// first: if there is no memory for it, `body` has not run, and what it would have taken is where it was.
    @inlinable
    public init?(
        by thread: UnsafeMutablePointer<ObjectThread>, taking body: () throws(OutOfMemory) -> ObjectPointer?
    ) throws(OutOfMemory) {
        guard let slot = unsafe HandleTable.take(holding: nil, by: thread) else {
            throw OutOfMemory(requestedByteCount: 4096)
        }
        var object: ObjectPointer?
        do throws(OutOfMemory) { unsafe object = try body() } catch {
            unsafe HandleTable.give(slot, by: thread)
            throw error
        }
        guard let object = unsafe object else {
            unsafe HandleTable.give(slot, by: thread)
            return nil
        }
        unsafe slot.pointee = object
        unsafe self.slot = slot
    }

    /// The object, until the thread's next safepoint.
    @inlinable @inline(__always)
    public var object: ObjectPointer { unsafe slot.pointee! }

    /// Ends the process, and says so, unless the object is one of the interpreter of `thread`: what is stored into an object,
    /// and what it is stored into, must be of one.
    @inlinable
    public borrowing func requireSameInterpreter(as thread: UnsafeMutablePointer<ObjectThread>) {
        require(
            unsafe HandleTable.interpreter(of: slot) == thread.interpreter,
            "an object of one interpreter used by a thread of another")
    }

    /// Another handle of the same object.
    @inlinable
    public borrowing func copy(
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> Handle {
        try unsafe Handle(retaining: object, by: thread)
    }

    /// Ends the handle and hands its count to the caller.
    @inlinable
    public consuming func take(by thread: UnsafeMutablePointer<ObjectThread>) -> ObjectPointer {
        let object = unsafe object
        unsafe HandleTable.give(slot, by: thread)
        discard self
        return unsafe object
    }

    /// Ends the handle on the thread of `thread`, attached to its interpreter: `deinit` without looking the thread up.
    @inlinable
    public consuming func end(by thread: UnsafeMutablePointer<ObjectThread>) {
        unsafe Counting.release(take(by: thread), by: thread)
    }

    deinit {
        let interpreter = unsafe HandleTable.interpreter(of: slot)
        require(unsafe interpreter != nil, "a handle ends after its interpreter")
        let thread = unsafe UnsafeMutablePointer<ObjectThread>.current
        guard let thread = unsafe thread, unsafe thread.interpreter == interpreter else {
            endProcess("a handle ends on a thread that is not attached to its interpreter")
        }
        let object = unsafe slot.pointee!
        unsafe HandleTable.give(slot, by: thread)
        unsafe Counting.release(object, by: thread)
    }
}

extension Handle where Payload: ManagedPayload {
    /// A new object with payload `value`. References in its fields are counted.
    @inlinable
    public static func make(
        _ type: ManagedType<Payload>, _ value: Payload,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> Handle<Payload> {
        try unsafe Handle(adopting: Allocation.make(type, value, by: thread), by: thread)
    }

    /// The payload in place, until the thread's next safepoint. Members other than fields are the embedder's to guard
    /// where several threads use them.
    @inlinable @inline(__always)
    public var payload: UnsafeMutablePointer<Payload> {
        unsafe (object + BlockHeader.byteCount).assumingMemoryBound(to: Payload.self)
    }

    /// The slot of a field, until the thread's next safepoint. Finding a stored member by its key path takes longer
    /// than using it: for a loop, take `slot()` of the member's address in `payload`.
    @inlinable
    public func slot<Target: ~Copyable>(_ field: KeyPath<Payload, Field<Target>>) -> ReferenceSlot {
        guard let offset = MemoryLayout<Payload>.offset(of: field) else {
            endProcess("a field is a stored member")
        }
        return unsafe Objects.slot(at: object + BlockHeader.byteCount + offset)
    }

    /// What a field refers to; takes no lock.
    @inlinable
    public func load<Target: ~Copyable>(
        _ field: KeyPath<Payload, Field<Target>>, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> Handle<Target>? {
        guard let object = unsafe Barrier.load(slot(field), by: thread) else { return nil }
        return try unsafe Handle<Target>(adopting: object, by: thread)
    }

    /// Makes a field refer to the object of `new`.
    @inlinable
    public func store<Target: ~Copyable>(
        _ new: borrowing Handle<Target>, into field: KeyPath<Payload, Field<Target>>,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe requireSameInterpreter(as: thread)
        unsafe new.requireSameInterpreter(as: thread)
        unsafe Barrier.store(new.object, into: slot(field), of: object, by: thread)
    }

    /// Makes a field refer to nothing.
    @inlinable
    public func clear<Target: ~Copyable>(
        _ field: KeyPath<Payload, Field<Target>>, by thread: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe Barrier.store(nil, into: slot(field), of: object, by: thread)
    }
}
