// Handles, used by an attached thread as an embedder holds it.

public import StillpointPlatform
public import StillpointMemory
public import StillpointObjects

extension Handle {
    /// Another handle on the same object.
    @inlinable
    public func copy(by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle {
        try unsafe copy(by: thread.state)
    }

    /// Ends the handle: what its end of scope does, too, but without asking which thread this is.
    @inlinable
    public consuming func end(by thread: borrowing ManagedThread) { unsafe end(by: thread.state) }

    /// Whether both name one object.
    @inlinable
    public func isSame<Other>(
        as other: borrowing Handle<Other>, by thread: borrowing ManagedThread
    ) -> Bool {
        thread.check()
        return unsafe object == other.object
    }
}

// MARK: Objects with a payload

extension Handle where Payload: ManagedPayload {
    /// Runs `body` with the object's payload. Plain members are not synchronised by the runtime: if threads change them,
    /// do it under a critical section, or by atomics. Fields are changed by `store` and `clear` alone. `body` passes no
    /// safepoint and does not keep the pointer.
    @inlinable
    public func with<Result: ~Copyable, Failure: Error>(
        _ thread: borrowing ManagedThread,
        _ body: (UnsafeMutablePointer<Payload>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        thread.check()
        return try unsafe body(payload)
    }

    /// A copy of a plain member. See `with` for other threads.
    @inlinable @inline(__always)
    public func read<Value>(_ member: KeyPath<Payload, Value>, by thread: borrowing ManagedThread) -> Value {
        thread.check()
        // The member alone: by its key path the whole payload may be copied, and other threads change its fields.
        guard let offset = MemoryLayout<Payload>.offset(of: member) else {
            return unsafe payload.pointee[keyPath: member]
        }
        return unsafe (UnsafeRawPointer(payload) + offset).assumingMemoryBound(to: Value.self).pointee
    }

    /// Changes a plain member. See `with` for other threads.
    @inlinable
    public func write<Value>(
        _ value: consuming Value, into member: WritableKeyPath<Payload, Value>,
        by thread: borrowing ManagedThread
    ) {
        thread.check()
        unsafe payload.pointee[keyPath: member] = value
    }

    /// What a field refers to; `nil`: nothing. Any thread, also while others store.
    @inlinable
    public func load<Target>(
        _ field: KeyPath<Payload, Field<Target>>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        try unsafe load(field, by: thread.state)
    }

    /// Makes a field refer to what `new` names. Any thread.
    @inlinable
    public func store<Target>(
        _ new: borrowing Handle<Target>, into field: KeyPath<Payload, Field<Target>>,
        by thread: borrowing ManagedThread
    ) {
        unsafe store(new, into: field, by: thread.state)
    }

    /// Makes a field refer to nothing. Any thread.
    @inlinable
    public func clear<Target>(
        _ field: KeyPath<Payload, Field<Target>>, by thread: borrowing ManagedThread
    ) {
        unsafe clear(field, by: thread.state)
    }
}

// MARK: Objects of any type

extension Handle where Payload == ManagedObject {
    /// The object as one of `type`; `nil` if it is none. The handle ends.
    @inlinable
    public consuming func `as`<Target: ManagedPayload>(
        _ type: ManagedType<Target>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        guard unsafe Objects.typeIndex(of: object) == type.index(for: thread.state) else { return nil }
        return try unsafe Handle<Target>(adopting: take(by: thread.state), by: thread.state)
    }

    /// The object as a built-in one; `nil` if it is none. The handle ends.
    @inlinable
    public consuming func `as`<Target: BuiltinObject>(
        _: Target.Type, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        guard unsafe Objects.typeIndex(of: object) == Target.builtinTypeIndex else { return nil }
        return try unsafe Handle<Target>(adopting: take(by: thread.state), by: thread.state)
    }
}

extension Optional where Wrapped == ObjectPointer {
    /// The object found, with its count, in a handle. A precondition holds its type to `index`.
    @inlinable
    func adopt<Target>(
        index: UInt32, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        guard let object = self else { return nil }
        require(
            unsafe Objects.typeIndex(of: object) == index, "an object of another type than it is taken for")
        return try unsafe Handle<Target>(adopting: object, by: thread.state)
    }

    /// The object found, with its count, in a handle of any type.
    @inlinable
    func adoptAny(by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle<ManagedObject>? {
        guard let object = self else { return nil }
        return try unsafe Handle<ManagedObject>(adopting: object, by: thread.state)
    }
}
