// Byte strings, arrays and lists, used by an attached thread as an embedder holds it.

public import StillpointMemory
public import StillpointObjects
internal import StillpointThreads

extension Handle where Payload == ManagedBytes {
    /// How many bytes it has.
    @inlinable
    public func count(by thread: borrowing ManagedThread) -> Int {
        thread.check()
        return unsafe ManagedBytes.count(of: object)
    }

    /// Runs `body` with the bytes. `body` passes no safepoint and does not keep the pointer.
    @inlinable
    public func withBytes<Result: ~Copyable, Failure: Error>(
        by thread: borrowing ManagedThread,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        thread.check()
        return try unsafe body(ManagedBytes.bytes(of: object))
    }

    /// The bytes as text; what is no UTF-8 is replaced.
    public func string(by thread: borrowing ManagedThread) -> String {
        thread.check()
        return unsafe String(decoding: ManagedBytes.bytes(of: object), as: UTF8.self)
    }
}

extension Handle where Payload == ManagedArray {
    /// How many references it has.
    @inlinable
    public func count(by thread: borrowing ManagedThread) -> Int {
        thread.check()
        return unsafe ManagedArray.count(of: object)
    }

    /// What the reference at `index` refers to; `nil`: nothing. Any thread.
    @inlinable
    public func load(_ index: Int, by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle<ManagedObject>? {
        try unsafe ManagedArray.load(object, index, by: thread.state).adoptAny(by: thread)
    }

    /// The same, for an object known to be of `type`.
    @inlinable
    public func load<Target: ManagedPayload>(
        _ index: Int, as type: ManagedType<Target>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        let found = unsafe ManagedArray.load(object, index, by: thread.state)
        return try unsafe found.adopt(index: type.index(for: thread.state), by: thread)
    }

    /// Makes the reference at `index` refer to what `new` names. Any thread.
    @inlinable
    public func store<Target>(
        _ new: borrowing Handle<Target>, at index: Int, by thread: borrowing ManagedThread
    ) {
        let state = unsafe thread.state
        unsafe requireSameInterpreter(as: state)
        unsafe new.requireSameInterpreter(as: state)
        unsafe ManagedArray.store(new.object, into: object, at: index, by: state)
    }

    /// Makes the reference at `index` refer to nothing. Any thread.
    @inlinable
    public func clear(at index: Int, by thread: borrowing ManagedThread) {
        unsafe ManagedArray.store(nil, into: object, at: index, by: thread.state)
    }
}

extension Handle where Payload == ManagedList {
    /// How many elements it has.
    @inlinable
    public func count(by thread: borrowing ManagedThread) -> Int {
        thread.check()
        return unsafe ManagedList.count(of: object)
    }

    /// The element at `index`; `nil` past the end. Any thread, without a lock, also while others change the list.
    @inlinable
    public func load(_ index: Int, by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle<ManagedObject>? {
        try unsafe ManagedList.load(object, index, by: thread.state).adoptAny(by: thread)
    }

    /// The same, for an element known to be of `type`.
    @inlinable
    public func load<Target: ManagedPayload>(
        _ index: Int, as type: ManagedType<Target>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) -> Handle<Target>? {
        let found = unsafe ManagedList.load(object, index, by: thread.state)
        return try unsafe found.adopt(index: type.index(for: thread.state), by: thread)
    }

    /// Adds an element at the end. Any thread; takes the list's lock.
    @inlinable
    public func append<Element>(
        _ element: borrowing Handle<Element>, by thread: borrowing ManagedThread
    ) throws(OutOfMemory) {
        let state = unsafe thread.state
        unsafe requireSameInterpreter(as: state)
        unsafe element.requireSameInterpreter(as: state)
        try unsafe ManagedList.append(element.slot, to: slot, by: state)
    }

    /// Replaces the element at `index`; false if the list is not that long. Any thread; takes the list's lock.
    @inlinable
    @discardableResult
    public func store<Element>(
        _ element: borrowing Handle<Element>, at index: Int, by thread: borrowing ManagedThread
    ) -> Bool {
        let state = unsafe thread.state
        unsafe requireSameInterpreter(as: state)
        unsafe element.requireSameInterpreter(as: state)
        return unsafe ManagedList.store(element.slot, in: slot, at: index, by: state)
    }

    /// Takes the last element off; `nil`: the list is empty. Any thread; takes the list's lock. If it throws, the
    /// element is still there.
    @inlinable
    public func removeLast(by thread: borrowing ManagedThread) throws(OutOfMemory) -> Handle<ManagedObject>? {
        let state = unsafe thread.state
        return try unsafe Handle<ManagedObject>(by: state) { () throws(OutOfMemory) in
            unsafe ManagedList.removeLast(from: slot, by: state)
        }
    }

    /// Removes the elements that `isRemoved` says so of; returns how many. Any thread; takes the list's lock. Readers may
    /// run: they see the list before, or after.
    public func removeAll(
        by thread: borrowing ManagedThread, where isRemoved: (borrowing BorrowedObject) -> Bool
    ) throws(OutOfMemory) -> Int {
        let state = unsafe thread.state
        return try unsafe ManagedList.removeAll(from: slot, by: state) { object in
            unsafe isRemoved(BorrowedObject(object, by: state))
        }
    }

    /// Calls `body` with each element in turn, under the list's lock. `body` passes no safepoint and enters no other
    /// object's critical section.
    public func visit(by thread: borrowing ManagedThread, _ body: (borrowing BorrowedObject) -> Void) {
        let state = unsafe thread.state
        unsafe CriticalSection.with(state.record, slot) {
            unsafe ManagedList.visit(object) { element in unsafe body(BorrowedObject(element, by: state)) }
        }
    }
}
