// The objects that every interpreter has besides payloads: strings of bytes, arrays, lists, dictionaries. How an
// embedder makes them, and gets from an object of unknown type to one of a known type.

public import StillpointMemory
public import StillpointObjects

/// A type of objects that is built in: `ManagedBytes`, `ManagedArray`, `ManagedList`, `ManagedDictionary`.
public protocol BuiltinObject {
    /// Its index in every runtime's type table.
    static var builtinTypeIndex: UInt32 { get }
}

extension ManagedBytes: BuiltinObject {
    @inlinable public static var builtinTypeIndex: UInt32 { BuiltinType.bytes }
}

extension ManagedArray: BuiltinObject {
    @inlinable public static var builtinTypeIndex: UInt32 { BuiltinType.array }
}

extension ManagedList: BuiltinObject {
    @inlinable public static var builtinTypeIndex: UInt32 { BuiltinType.list }
}

extension ManagedDictionary: BuiltinObject {
    @inlinable public static var builtinTypeIndex: UInt32 { BuiltinType.dictionary }
}

extension ManagedThread {
    /// An immutable string of bytes, copied.
    @inlinable
    public func makeBytes(_ bytes: UnsafeRawBufferPointer) throws(OutOfMemory) -> Handle<ManagedBytes> {
        try unsafe Handle(adopting: ManagedBytes.make(bytes, by: state), by: state)
    }

    /// An immutable string of bytes: the UTF-8 of `text`.
    public func makeString(_ text: String) throws(OutOfMemory) -> Handle<ManagedBytes> {
        let state = unsafe self.state
        return try unsafe text.utf8Span.span.bytes.withUnsafeBytes { bytes throws(OutOfMemory) in
            try unsafe Handle(adopting: ManagedBytes.make(bytes, by: state), by: state)
        }
    }

    /// An array of `count` references, none of which refers to anything yet. Its length never changes.
    @inlinable
    public func makeArray(count: Int) throws(OutOfMemory) -> Handle<ManagedArray> {
        try unsafe Handle(adopting: ManagedArray.make(count: count, by: state), by: state)
    }

    /// An empty list.
    /// - Parameter capacity: how many elements it has room for before it grows.
    @inlinable
    public func makeList(capacity: Int = 0) throws(OutOfMemory) -> Handle<ManagedList> {
        try unsafe Handle(adopting: ManagedList.make(capacity: capacity, by: state), by: state)
    }

    /// An empty dictionary from byte strings to objects.
    /// - Parameter capacity: how many keys it has room for before it grows.
    @inlinable
    public func makeDictionary(capacity: Int = 0) throws(OutOfMemory) -> Handle<ManagedDictionary> {
        try unsafe Handle(adopting: ManagedDictionary.make(capacity: capacity, by: state), by: state)
    }
}
