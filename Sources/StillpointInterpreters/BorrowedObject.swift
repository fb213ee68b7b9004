// An object that a container lends while it is visited: no handle is made for it.

public import StillpointMemory
public import StillpointObjects

/// An object in a container that is being visited, for the time of the closure that gets it, with no safepoint inside.
@safe
public struct BorrowedObject: ~Copyable {
    @usableFromInline let object: ObjectPointer
    /// Who visits.
    @usableFromInline let visitor: UnsafeMutablePointer<ObjectThread>

    @inlinable init(_ object: ObjectPointer, by visitor: UnsafeMutablePointer<ObjectThread>) {
        unsafe self.object = object
        unsafe self.visitor = visitor
    }

    /// The payload, if the object is of `type`. See `Handle.with` for who may change it.
    @inlinable
    public func payload<Payload: ManagedPayload>(
        as type: ManagedType<Payload>
    ) -> UnsafeMutablePointer<Payload>? {
        guard unsafe Objects.typeIndex(of: object) == type.index(for: visitor) else { return nil }
        return unsafe (object + BlockHeader.byteCount).assumingMemoryBound(to: Payload.self)
    }

    /// The bytes, if the object is a byte string.
    @inlinable
    public var bytes: UnsafeRawBufferPointer? {
        guard unsafe Objects.typeIndex(of: object) == BuiltinType.bytes else { return nil }
        return unsafe ManagedBytes.bytes(of: object)
    }

    /// Whether a handle names it.
    @inlinable
    public func isSame<Payload>(as handle: borrowing Handle<Payload>) -> Bool {
        unsafe object == handle.object
    }

    /// A handle on it, to keep it beyond the closure.
    @inlinable
    public func handle(by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle<ManagedObject> {
        try unsafe Handle(retaining: object, by: thread.state)
    }

    /// A handle on it, if it is of `type`.
    @inlinable
    public func handle<Payload: ManagedPayload>(
        as type: ManagedType<Payload>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Payload>? {
        guard unsafe Objects.typeIndex(of: object) == type.index(for: visitor) else { return nil }
        return try unsafe Handle(retaining: object, by: thread.state)
    }
}
