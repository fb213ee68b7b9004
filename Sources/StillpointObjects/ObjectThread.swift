// The whole record of a thread state up to this floor, and what this floor does at the moments of its life.

public import StillpointMemory
public import StillpointPlatform
public import StillpointThreads

/// A thread state with what counting, destruction and handles need. It begins with floor 4's record; raw memory that
/// `Roster.makeThread` makes and the hooks of this floor complete.
public struct ObjectThread: ~Copyable {
    /// Floor 4's part. First, at offset 0.
    public var record: ThreadRecord

    /// What stands in the owner words of the objects it owns, 1 ... 65,534. immutable
    public var ownerIdentifier: UInt64
    /// immutable
    public var types: UnsafeMutablePointer<TypeTable>
    /// immutable
    public var interpreter: UnsafeMutablePointer<InterpreterObjects>

    /// Bytes it may allocate before it looks whether a collection is due. owner only
    @usableFromInline var allocationCredit: Int
    /// Objects that it made. owner only; read at a stop
    @usableFromInline var bornCount: Int
    /// Objects that it destroyed. owner only; read at a stop
    @usableFromInline var diedCount: Int

    /// The dead that wait to be destroyed. owner only
    var dying: ObjectPointer?
    /// owner only
    var isDestroying: Bool

    /// Handle slots it has at hand, linked. owner only, or held
    @usableFromInline var freeHandles: HandleSlotLink
    @usableFromInline var freeHandleCount: Int

    /// Counts that others have queued to it. guarded by the lock of `ownerIdentifier`
    var queue: MergeQueue
    /// Counts that were queued to it and merged. By who has the right to its objects; read at a stop
    var mergedCount: Int
    /// Counts that it queued to others, and those for which there was no memory. owner only; read at a stop
    var queuedCount: Int
    var lostCount: Int

    /// Storages of containers whose deferral had no memory, linked. owner only, or held
    var undeferred: ObjectPointer?
    /// A test's choice: no memory for deferrals. owner only
    var isRefusingDeferral: Bool
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// The whole of a record that was made with this floor's hooks.
    @inlinable @inline(__always)
    public init(_ record: UnsafeMutablePointer<ThreadRecord>) {
        unsafe self = UnsafeMutableRawPointer(record).assumingMemoryBound(to: ObjectThread.self)
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
        // A field of a record that stays where it is.
        unsafe withUnsafeMutablePointer(to: &pointee.record.heap) { unsafe $0 }
    }

    /// Its interpreter's part of this floor.
    @inlinable @inline(__always)
    public var interpreter: UnsafeMutablePointer<InterpreterObjects> {
        unsafe pointee.interpreter
    }

    var owners: UnsafeMutablePointer<OwnerTable> { unsafe interpreter.pointee.runtime.owners }

    /// Counts `count` objects as died, which a collector freed by itself on this thread.
    public func noteDied(_ count: Int) { unsafe pointee.diedCount += count }
}

/// This floor's hooks.
public enum ObjectHooks {
    /// Sets the size of the record, and the hooks `initialize`, `merge`, `clear` and `deinitialize`. A floor above
    /// that makes the record longer, or has to do at the same moments, wraps them.
    public static func install(into hooks: inout ThreadHooks) {
        hooks.recordByteCount = MemoryLayout<ObjectThread>.stride
        unsafe hooks.initialize = { record in unsafe ObjectHooks.initialize(.init(record)) }
        unsafe hooks.merge = { record, worker in
            unsafe ObjectHooks.merge(.init(record), by: .init(worker))
        }
        unsafe hooks.clear = { record, worker in
            unsafe ObjectHooks.clear(.init(record), by: .init(worker))
        }
        unsafe hooks.deinitialize = { record in unsafe ObjectHooks.deinitialize(.init(record)) }
    }

    static func initialize(_ thread: UnsafeMutablePointer<ObjectThread>) -> Bool {
        let interpreter = unsafe InterpreterObjects.of(thread.record.pointee.roster)
        let owners = unsafe interpreter.pointee.runtime.owners
        guard let identifier = unsafe owners.claim() else { return false }
        unsafe thread.pointee.ownerIdentifier = identifier
        unsafe thread.pointee.types = interpreter.pointee.types
        unsafe thread.pointee.interpreter = interpreter
        unsafe thread.pointee.allocationCredit = 0
        unsafe thread.pointee.bornCount = 0
        unsafe thread.pointee.diedCount = 0
        unsafe thread.pointee.dying = nil
        unsafe thread.pointee.isDestroying = false
        unsafe thread.pointee.freeHandles = HandleSlotLink.end
        unsafe thread.pointee.freeHandleCount = 0
        unsafe thread.pointee.queue = MergeQueue()
        unsafe thread.pointee.mergedCount = 0
        unsafe thread.pointee.queuedCount = 0
        unsafe thread.pointee.lostCount = 0
        unsafe thread.pointee.undeferred = nil
        unsafe thread.pointee.isRefusingDeferral = false
        unsafe owners.enlist(thread)
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
        precondition(unsafe !thread.pointee.isDestroying, "D3: a thread state cleared by a destroy function")
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
        unsafe thread.pointee.queue.deinitialize()
        unsafe thread.owners.giveBack(thread.pointee.ownerIdentifier)
    }
}

extension UnsafeMutablePointer where Pointee == ObjectThread {
    /// Hands free handle slots, storages not deferred and figures to the interpreter. Twice does no harm.
    func leaveToInterpreter() {
        unsafe HandleTable.giveBack(pointee.freeHandleCount, of: self)
        unsafe interpreter.takeLeavings(of: self)
    }
}
