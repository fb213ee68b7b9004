// Swift structs as payloads: laid inline behind the header, destroyed with the object, their references found.

internal import StillpointMemory
public import StillpointPlatform

/// A struct that is the payload of objects. Its references to other objects are stored members of type `Field`, and
/// `references` names every one of them: an object that only an unnamed one refers to is freed.
///
/// Destroying the struct, when the object dies, neither detaches nor passes a safepoint.
public protocol ManagedPayload {
    /// Key paths of all `Field` members, those of nested structs included. Asked once, when the type is made.
    static var references: [PartialKeyPath<Self>] { get }
}

extension ManagedPayload {
    public static var references: [PartialKeyPath<Self>] { [] }

    /// Ends the payload at an address.
    @usableFromInline static func destroyPayload(at address: UnsafeMutableRawPointer) {
        unsafe address.assumingMemoryBound(to: Self.self).deinitialize(count: 1)
    }
}

/// A type of objects with payload `Payload`, of one runtime.
public struct ManagedType<Payload: ManagedPayload>: Sendable {
    /// Its index in the runtime's table of types.
    public let index: UInt32
    /// The number of that table, which no other one of the process has or had.
    @usableFromInline let table: UInt32

    init(index: UInt32, table: UInt32) {
        self.index = index
        self.table = table
    }

    /// Its index, for a thread of its runtime; with a thread of another, the process ends and says so.
    @inlinable @inline(__always)
    public func index(for thread: UnsafeMutablePointer<ObjectThread>) -> UInt32 {
        if unsafe _slowPath(thread.types.pointee.number != table) { Self.refuseUse() }
        return index
    }

    @usableFromInline @inline(never)
    static func refuseUse() -> Never { endProcess("a type of another runtime") }
}

/// What the table of types knows a `Field` by.
protocol ReferenceField {}

/// A reference to an object with payload `Target`, as a member of a payload. Read and stored in place, through a handle
/// or the barrier; a copy of it is not counted and good for nothing.
public struct Field<Target: ~Copyable>: BitwiseCopyable, ReferenceField {
    @usableFromInline var bits: UInt

    /// No reference.
    @inlinable public init() { bits = 0 }

    /// A reference to the object of a handle: for the value that an object is made from, before which the thread
    /// passes no safepoint. Making the object counts it.
    @inlinable public init(_ handle: borrowing Handle<Target>) {
        bits = unsafe UInt(bitPattern: handle.object)
    }
}

/// Any object: the payload of a handle or a field that does not say what it refers to.
public enum ManagedObject {}

extension UnsafeMutablePointer {
    /// The slot that a field in a payload is.
    @inlinable @inline(__always)
    public func slot<Target: ~Copyable>() -> ReferenceSlot where Pointee == Field<Target> {
        // A field is 8 bytes that are an atomic word from the object's birth on.
        unsafe UnsafeMutableRawPointer(self).assumingMemoryBound(to: Atomic<UInt>.self)
    }
}
