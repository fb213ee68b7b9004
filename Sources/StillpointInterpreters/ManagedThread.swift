// The thread state as an embedder holds it: attached, on this OS thread, in this scope. It cannot be copied, and it is
// lent, never given: so it cannot outlive its scope, nor get to another thread. What needs an attached thread takes
// one as a parameter; so that a program without one does not compile. One use that is wrong does compile: inside its own
// `detached` a thread can be named. That is found at run time: whatever takes a thread, in every build, looks whether it
// is the one attached here (`check`); all but `safepoint`, which asserts it.

internal import StillpointPlatform
public import StillpointCollectors
public import StillpointMemory
public import StillpointObjects
public import StillpointThreads

/// An attached thread state. Lent by `Interpreter.withThread`, `startThread` and `HostThread`.
@safe
public struct ManagedThread: ~Copyable {
    @usableFromInline let unchecked: UnsafeMutablePointer<ObjectThread>
    /// The interpreter that it belongs to.
    public let interpreter: Interpreter

    init(_ record: UnsafeMutablePointer<ThreadRecord>, of interpreter: Interpreter) {
        unsafe unchecked = UnsafeMutablePointer<ObjectThread>(record)
        self.interpreter = interpreter
    }

    /// The record, attached here: or the process ends and says so.
    @inlinable @inline(__always)
    var state: UnsafeMutablePointer<ObjectThread> {
        check()
        return unsafe unchecked
    }

    @inlinable @inline(__always)
    var record: UnsafeMutablePointer<ThreadRecord> { unsafe state.record }

    /// Ends the process unless this is the thread state attached here. A load of a thread-local variable and a comparison.
    @inlinable @inline(__always)
    func check() {
        if unsafe _slowPath(Attachment.current != unchecked.record) { Self.refuseUse() }
    }

    @usableFromInline @inline(never)
    static func refuseUse() -> Never {
        endProcess("a thread was used where it is not attached: inside its own `detached`")
    }

    /// A number that no other thread state of the runtime has or had.
    public var identifier: UInt64 { unsafe unchecked.record.pointee.identifier }

    /// The checkpoint: suspends while the world is stopped, merges counts, frees what was put off, collects if due.
    /// A thread that computes calls it at least every few microseconds; stops wait for it. Costs a load and a branch
    /// when nothing is due. References held across it are held by handles.
    @inlinable @inline(__always)
    public func safepoint() {
        assert(
            unsafe Attachment.current == unchecked.record,
            "a thread was used where it is not attached: inside its own `detached`")
        unsafe Safepoint.poll(unchecked.record)
    }

    /// Runs `body` detached: for whatever blocks, or runs long without a safepoint. No stop waits for it, and `body` uses
    /// nothing of the interpreter: with this thread, that ends the process. Critical sections around it are released
    /// meanwhile.
    public func detached<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe unchecked.record.setAway(true)
        unsafe Attachment.detach(unchecked.record)
        do throws(Failure) {
            let result = try body()
            attachAgain()
            return result
        } catch {
            attachAgain()
            throw error
        }
    }

    private func attachAgain() {
        do throws(ThreadStateError) { try unsafe Attachment.attach(unchecked.record) } catch {
            // It is inside the gate, so its interpreter is not closed; and it is bound to this OS thread.
            endProcess("a thread cannot come back from `detached`: \(error)")
        }
        unsafe unchecked.record.setAway(false)
    }

    // MARK: Making objects

    /// A new object, and a handle on it.
    /// - Parameter value: its payload. Fields in it refer to what handles held when they were made, with no safepoint
    ///   in between.
    @inlinable @inline(__always)
    public func make<Payload: ManagedPayload>(
        _ type: ManagedType<Payload>, _ value: consuming Payload
    ) throws(OutOfMemory) -> Handle<Payload> {
        try unsafe Handle.make(type, value, by: state)
    }

    // MARK: Critical sections

    /// Runs `body` while this thread alone holds the object's lock. A detach in `body` (also one inside a wait for another
    /// object, or at a safepoint that stops) lets the lock go and takes it again: look again after it.
    public func criticalSection<Payload, Result: ~Copyable, Failure: Error>(
        _ handle: borrowing Handle<Payload>, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe CriticalSection.with(record, handle.slot, body)
    }

    /// The same over two objects, in any order without deadlock; they may be one.
    public func criticalSection<First, Second, Result: ~Copyable, Failure: Error>(
        _ first: borrowing Handle<First>, _ second: borrowing Handle<Second>,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe CriticalSection.with(record, first.slot, second.slot, body)
    }

    // MARK: Pauses

    /// Collects this thread's interpreter. If another thread collects at the time, this one waits, detached, and if
    /// that collection began late enough to answer this call, gets its report.
    /// - Throws: `.collection`; nothing was changed.
    @discardableResult
    public func collect() throws(RuntimeError) -> CollectionReport {
        try interpreter.refuseInsideStop()
        do throws(CollectionError) {
            return try unsafe Collector.collect(interpreter.collector, by: state)
        } catch { throw .collection(error) }
    }

    /// Runs `body` while every other thread of this interpreter stands still; see `Interpreter.withWorldStopped`.
    public func withWorldStopped<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws -> Result {
        try interpreter.withWorldStopped(body)
    }
}
