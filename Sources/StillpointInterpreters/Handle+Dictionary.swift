// Dictionaries, used by an attached thread as an embedder holds it. Keys are byte strings; a caller that has a key's hash
// (`BytesHash.of`) may give it, so that it is not computed again.

public import StillpointMemory
public import StillpointObjects
public import StillpointPlatform
internal import StillpointThreads

extension Handle where Payload == ManagedDictionary {
    /// How many keys it has.
    @inlinable
    public func count(by thread: borrowing ManagedThread) -> Int {
        thread.check()
        return unsafe ManagedDictionary.count(of: object)
    }

    /// The value of a key; `nil`: it has none. Any thread, without a lock, also while others insert.
    @inlinable
    public func find(
        _ key: UnsafeRawBufferPointer, hash: UInt64? = nil, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<ManagedObject>? {
        try unsafe found(key, hash, thread).adoptAny(by: thread)
    }

    /// The same, for a value known to be of `type`.
    @inlinable
    public func find<Value: ManagedPayload>(
        _ key: UnsafeRawBufferPointer, hash: UInt64? = nil, as type: ManagedType<Value>,
        by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Value>? {
        try unsafe found(key, hash, thread).adopt(index: type.index(for: thread.state), by: thread)
    }

    /// The same, for a key that is the UTF-8 of `text`.
    public func find<Value: ManagedPayload>(
        _ text: String, as type: ManagedType<Value>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Value>? {
        let found: ObjectPointer? = unsafe text.utf8Span.span.bytes.withUnsafeBytes { key in
            unsafe self.found(key, nil, thread)
        }
        return try unsafe found.adopt(index: type.index(for: thread.state), by: thread)
    }

    @inlinable
    func found(
        _ key: UnsafeRawBufferPointer, _ hash: UInt64?, _ thread: borrowing ManagedThread
    ) -> ObjectPointer? {
        let hash = unsafe hash ?? BytesHash.of(key)
        return unsafe ManagedDictionary.find(key, hash: hash, in: object, by: thread.state)
    }

    /// The value of a key. If it has none, `make` makes one and it is inserted. Any thread; an insertion takes the
    /// dictionary's lock, a key that is there none. `make` runs outside the lock, at most once; if another thread inserts
    /// the key first, that one's value is returned and what was made is let go. If it throws, nothing was inserted.
    @inlinable
    public func findOrInsert<Value: ManagedPayload>(
        _ key: UnsafeRawBufferPointer, hash: UInt64? = nil, as type: ManagedType<Value>,
        by thread: borrowing ManagedThread, make: () throws(OutOfMemory) -> Handle<Value>
    ) throws(OutOfMemory) -> Handle<Value> {
        let state = unsafe thread.state
        unsafe requireSameInterpreter(as: state)
        let index = unsafe type.index(for: state)
        let value = try unsafe Handle<Value>(by: state) { () throws(OutOfMemory) in
            try unsafe ManagedDictionary.findOrInsert(
                key, hash: hash ?? BytesHash.of(key), in: slot, by: state
            ) { () throws(OutOfMemory) in
                let value = try make()
                unsafe value.requireSameInterpreter(as: state)
                return unsafe value.take(by: state)
            }
        }!
        require(
            unsafe Objects.typeIndex(of: value.object) == index, "an object of another type than it is taken for")
        return value
    }

    /// The same, for a key that is the UTF-8 of `text`.
    public func findOrInsert<Value: ManagedPayload>(
        _ text: String, as type: ManagedType<Value>, by thread: borrowing ManagedThread,
        make: () throws(OutOfMemory) -> Handle<Value>
    ) throws(OutOfMemory) -> Handle<Value> {
        try unsafe text.utf8Span.span.bytes.withUnsafeBytes { key throws(OutOfMemory) in
            try unsafe findOrInsert(key, as: type, by: thread, make: make)
        }
    }

    /// Gives a key a value, in place of the one it has, if any. Whether the key is new. Any thread; takes the
    /// dictionary's lock.
    @inlinable
    @discardableResult
    public func insert<Value>(
        _ key: UnsafeRawBufferPointer, hash: UInt64? = nil, _ value: borrowing Handle<Value>,
        by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Bool {
        let state = unsafe thread.state
        unsafe requireSameInterpreter(as: state)
        unsafe value.requireSameInterpreter(as: state)
        return try unsafe ManagedDictionary.insert(
            key, hash: hash ?? BytesHash.of(key), value: value.slot, in: slot, by: state)
    }

    /// The same, for a key that is the UTF-8 of `text`.
    @discardableResult
    public func insert<Value>(
        _ text: String, _ value: borrowing Handle<Value>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Bool {
        try unsafe text.utf8Span.span.bytes.withUnsafeBytes { key throws(OutOfMemory) in
            try unsafe insert(key, value, by: thread)
        }
    }

    /// Removes the keys that `isRemoved` says so of, with their values; returns how many. Takes the dictionary's lock.
    /// Precondition: no other thread reads the dictionary meanwhile.
    public func removeAll(
        by thread: borrowing ManagedThread,
        where isRemoved: (_ key: UnsafeRawBufferPointer, _ value: borrowing BorrowedObject) -> Bool
    ) throws(OutOfMemory) -> Int {
        let state = unsafe thread.state
        return try unsafe ManagedDictionary.removeAll(from: slot, by: state) { key, value in
            unsafe isRemoved(key, BorrowedObject(value, by: state))
        }
    }

    /// Calls `body` with each key and value, in no order, under the dictionary's lock. `body` passes no safepoint and
    /// enters no other object's critical section.
    public func visit(
        by thread: borrowing ManagedThread,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: borrowing BorrowedObject) -> Void
    ) {
        let state = unsafe thread.state
        unsafe CriticalSection.with(state.record, slot) {
            unsafe ManagedDictionary.visit(object) { key, value in
                unsafe body(ManagedBytes.bytes(of: key), BorrowedObject(value, by: state))
            }
        }
    }
}
