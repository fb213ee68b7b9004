// The whole record of a thread state up to this floor, and what this floor does at the moments of its life.

public import StillpointMemory
internal import StillpointPlatform
public import StillpointThreads

/// A thread state with what counting, destruction and handles need. It begins with floor 4's record; raw memory that
/// `Roster.makeThread` makes and the hooks of this floor complete. The parts behind the record have addresses, and cache
/// lines, of their own: other threads reach for the word in the record, and for the queue, while the owner counts.
@safe
public struct ObjectThread: ~Copyable {
    /// Floor 4's part. At offset 0; `own` and `queue` follow at the offsets below.
    public let record: ThreadRecord

    /// The part that only the owner touches, or who holds it.
    @safe
    @usableFromInline
    struct Own: ~Copyable {
        /// What stands in the owner words of the objects it owns, 1 ... 65,534. immutable
        @usableFromInline let ownerIdentifier: UInt64
        /// immutable
        @usableFromInline let types: UnsafeMutablePointer<TypeTable>
        /// immutable
        @usableFromInline let interpreter: UnsafeMutablePointer<InterpreterObjects>

        /// Bytes it may allocate before it looks whether a collection is due. owner only
        @usableFromInline var allocationCredit = 0
        /// Objects that it made, and that it destroyed. owner only; read at a stop
        @usableFromInline var bornCount = 0
        @usableFromInline var diedCount = 0

        /// The dead that wait to be destroyed. owner only
        var dying: ObjectPointer?
        /// owner only
        var isDestroying = false

        /// Handle slots it has at hand, linked. owner only, or held
        var freeHandles: HandleSlotLink = .end
        var freeHandleCount = 0

        /// Counts that were queued to it and merged. By who has the right to its objects; read at a stop
        var mergedCount = 0
        /// Counts that it queued to others, and those for which there was no memory. owner only; read at a stop
        var queuedCount = 0
        var lostCount = 0

        /// Storages of containers whose deferral had no memory, linked. owner only, or held
        var undeferred: ObjectPointer?

        init(ownerIdentifier: UInt64, interpreter: UnsafeMutablePointer<InterpreterObjects>) {
            self.ownerIdentifier = ownerIdentifier
            unsafe types = interpreter.pointee.types
            unsafe self.interpreter = unsafe interpreter
            unsafe dying = nil
            unsafe undeferred = nil
        }
    }

    @usableFromInline static var ownOffset: Int {
        (MemoryLayout<ThreadRecord>.size + 127) & ~127
    }
    static var queueOffset: Int { (ownOffset + MemoryLayout<Own>.size + 127) & ~127 }
    /// The size of the whole record, in bytes.
    public static var byteCount: Int { queueOffset + MemoryLayout<MergeQueue>.stride }
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// The whole of a record that was made with this floor's hooks.
    @inlinable @inline(__always)
    public init(_ record: UnsafeMutablePointer<ThreadRecord>) {
        unsafe self = UnsafeMutableRawPointer(record).assumingMemoryBound(to: ObjectThread.self)
    }

    /// The same, as hooks get it.
    init(raw record: UnsafeMutableRawPointer) {
        unsafe self = record.assumingMemoryBound(to: ObjectThread.self)
    }

    /// The thread state attached on this OS thread.
    @inlinable @inline(__always)
    public static var current: UnsafeMutablePointer<ObjectThread>? {
        guard let record = unsafe Attachment.current else { return nil }
        return unsafe UnsafeMutablePointer(record)
    }

    /// Floor 4's part.
    @inlinable @inline(__always)
    public var record: UnsafeMutablePointer<ThreadRecord> {
        unsafe UnsafeMutableRawPointer(self).assumingMemoryBound(to: ThreadRecord.self)
    }

    /// Floor 3's part.
    @inlinable @inline(__always)
    public var heap: UnsafeMutablePointer<ThreadHeap> {
        unsafe record.heap
    }

    @inlinable @inline(__always)
    var own: UnsafeMutablePointer<ObjectThread.Own> {
        unsafe (UnsafeMutableRawPointer(self) + ObjectThread.ownOffset)
            .assumingMemoryBound(to: ObjectThread.Own.self)
    }

    /// Counts that others have queued to it. guarded by the lock of its identifier
    var queue: UnsafeMutablePointer<MergeQueue> {
        unsafe (UnsafeMutableRawPointer(self) + ObjectThread.queueOffset)
            .assumingMemoryBound(to: MergeQueue.self)
    }

    /// What stands in the owner words of the objects it owns, 1 ... 65,534.
    @inlinable
    public var ownerIdentifier: UInt64 { unsafe own.pointee.ownerIdentifier }

    /// The types of its runtime.
    @inlinable
    public var types: UnsafeMutablePointer<TypeTable> { unsafe own.pointee.types }

    /// Its interpreter's part of this floor.
    @inlinable @inline(__always)
    public var interpreter: UnsafeMutablePointer<InterpreterObjects> {
        unsafe own.pointee.interpreter
    }

    var owners: UnsafeMutablePointer<OwnerTable> { unsafe interpreter.pointee.runtime.owners }

    /// Counts `count` objects as died, which a collector freed by itself on this thread.
    public func noteDied(_ count: Int) { unsafe own.pointee.diedCount += count }
}

/// This floor's hooks.
public enum ObjectHooks {
    /// Sets the size of the record, and the hooks `initialize`, `merge`, `clear` and `deinitialize`. A floor above
    /// that makes the record longer, or has to do at the same moments, wraps them.
    public static func install(into hooks: inout ThreadHooks) {
        hooks.recordByteCount = ObjectThread.byteCount
        unsafe hooks.initialize = { record in unsafe ObjectHooks.initialize(.init(raw: record)) }
        // Listed under its identifier only now: counts of objects that it inherits with it are queued to it from here on.
        unsafe hooks.publish = { record in
            let thread = unsafe UnsafeMutablePointer<ObjectThread>(raw: record)
            unsafe thread.owners.enlist(thread)
        }
        unsafe hooks.merge = { record, worker in
            unsafe ObjectHooks.merge(.init(raw: record), by: .init(raw: worker))
        }
        unsafe hooks.clear = { record, worker in
            unsafe ObjectHooks.clear(.init(raw: record), by: .init(raw: worker))
        }
        unsafe hooks.deinitialize = { record in unsafe ObjectHooks.deinitialize(.init(raw: record)) }
    }

    static func initialize(_ thread: UnsafeMutablePointer<ObjectThread>) -> Bool {
        let interpreter = unsafe InterpreterObjects.of(thread.record.pointee.roster)
        let owners = unsafe interpreter.pointee.runtime.owners
        guard let identifier = unsafe owners.claim() else { return false }
        unsafe thread.own.initialize(
            to: ObjectThread.Own(ownerIdentifier: identifier, interpreter: interpreter))
        unsafe thread.queue.initialize(to: MergeQueue())
        return true
    }

    static func merge(
        _ thread: UnsafeMutablePointer<ObjectThread>, by worker: UnsafeMutablePointer<ObjectThread>
    ) {
        unsafe thread.mergeQueued(by: worker)
        unsafe worker.interpreter.buryLeftovers(by: worker)
        unsafe Retirement.retry(thread)
    }

    static func clear(
        _ thread: UnsafeMutablePointer<ObjectThread>, by worker: UnsafeMutablePointer<ObjectThread>
    ) {
        require(unsafe !thread.own.pointee.isDestroying, "D3: a thread state cleared by a destroy function")
        // Destroying may queue to the thread itself, if another works for it: until nothing is queued.
        // And before it withdraws: it uses no object after that (O2).
        repeat {
            unsafe worker.interpreter.buryLeftovers(by: worker)
            unsafe thread.mergeQueued(by: worker)
        } while unsafe !thread.owners.withdrawIfIdle(thread)
        unsafe thread.leaveToInterpreter()
    }

    /// The end of the record. One that was never attached is not cleared, yet may have inherited objects with its
    /// identifier, and so counts may be queued to it.
    static func deinitialize(_ thread: UnsafeMutablePointer<ObjectThread>) {
        let interpreter = unsafe thread.interpreter
        repeat {
            // Nobody else sees the record any more but by its entry, so the right is ours.
            unsafe thread.mergeQueued { object in unsafe interpreter.leave(dead: object) }
        } while unsafe !thread.owners.withdrawIfIdle(thread)
        unsafe thread.leaveToInterpreter()
        let owners = unsafe thread.owners
        let identifier = unsafe thread.ownerIdentifier
        unsafe thread.queue.deinitialize(count: 1)
        unsafe thread.own.deinitialize(count: 1)
        unsafe owners.giveBack(identifier)
    }
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// Hands free handle slots, storages not deferred and figures to the interpreter. Twice does no harm.
    func leaveToInterpreter() {
        unsafe HandleTable.giveBack(own.pointee.freeHandleCount, of: self)
        unsafe interpreter.takeLeavings(of: self)
    }
}
