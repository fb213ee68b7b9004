// Critical sections: a thread holds the lock of one object, or of two, while it changes them; and any detach
// inside releases them, so that no thread that stands still keeps others from running.
//
//              begin                     detach, or a wait for another object's lock
//   (none) ------------> entered  -------------------------------------------> suspended
//      ^                  |    ^                                                  |
//      +------------------+    +--------------------------------------------------+
//              end                     attach, if it is the innermost; else when it becomes that
//
// An object is named by a slot that holds its address, not by the address: objects may move while a thread
// waits, and the slot is a root that is updated.
//
// C1  A thread that waits for an object's lock holds none: it queues itself, then releases every lock that it
//     holds, its outer sections' included, then leaves `attached`, then sleeps. Hence no deadlock, in any
//     order of objects.
// C2  An object is touched only while attached: a thread that woke reads its slot again before it looks at
//     the lock word, unless the lock was handed to it, which stays true wherever the object went.
// C3  Only the innermost section is entered again on attach. The others when they become innermost.
//     So any call that may detach breaks the atomicity of the section around it: look again after it.
// C4  Sections end in the opposite order of their beginnings, on the thread that began them.
// C5  A section of an object that the innermost section has entered takes no lock: it is held.
//
// A pair takes one lock, tries the other, and if that fails releases the first and waits for the second: then
// the other way round. No lock is held while waiting, so the order of addresses does not matter.
//
// [object lock]  the writes of one section  ->  the reads of the next one over the same object (`LockBits`)

internal import CStillpoint
internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointSynchronization

/// A root that holds an object's address: what names the object to a critical section.
public typealias ObjectSlot = UnsafeMutablePointer<UnsafeMutableRawPointer?>

/// One critical section, on the stack of the thread that began it.
@safe struct SectionRecord: ~Copyable {
    /// immutable. The second is nil for a section over one object.
    let first: ObjectSlot
    let second: ObjectSlot?
    /// owner only
    var isEntered = false
    /// Whether the section takes the second lock: not if both slots name one object, nor if it is held. owner only
    var outer: UnsafeMutablePointer<SectionRecord>?
    /// Whether the innermost section around this one holds its only lock (C5). owner only
    var isCovered = false

    init(first: ObjectSlot, second: ObjectSlot?, outer: UnsafeMutablePointer<SectionRecord>?) {
        unsafe self.first = first
        unsafe self.second = second
        unsafe self.outer = outer
    }
}

/// Locking one or two objects.
public enum CriticalSection {
    /// Runs `body` with the lock of the object in `slot` held by `thread`, which is attached. A detach inside
    /// `body` releases the lock, and the attach takes it again.
    public static func with<Result: ~Copyable, Failure: Error>(
        _ thread: UnsafeMutablePointer<ThreadRecord>, _ slot: ObjectSlot,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe run(thread, slot, nil, body)
    }

    /// The same over the objects in two slots, in any order; they may be one object.
    public static func with<Result: ~Copyable, Failure: Error>(
        _ thread: UnsafeMutablePointer<ThreadRecord>, _ first: ObjectSlot, _ second: ObjectSlot,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe run(thread, first, second, body)
    }

    private static func run<Result: ~Copyable, Failure: Error>(
        _ thread: UnsafeMutablePointer<ThreadRecord>, _ first: ObjectSlot, _ second: ObjectSlot?,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        require(
            unsafe sp_current_thread() == UnsafeMutableRawPointer(thread),
            "a critical section needs its thread state attached")
        var section = unsafe SectionRecord(
            first: first, second: second, outer: thread.pointee.topSection)
        // The record stays on this stack frame, and is unlinked before the frame ends (C4).
        return try unsafe withUnsafeMutablePointer(to: &section) { section throws(Failure) in
            unsafe begin(section, of: thread)
            defer { unsafe end(section, of: thread) }
            return try body()
        }
    }

    // MARK: Begin and end

    private static func begin(
        _ section: UnsafeMutablePointer<SectionRecord>, of thread: UnsafeMutablePointer<ThreadRecord>
    ) {
        if unsafe section.pointee.second == nil, let outer = unsafe section.pointee.outer {
            unsafe section.pointee.isCovered = names(outer, section.pointee.first.pointee)
        }
        unsafe thread.pointee.topSection = section
        unsafe thread.updateTransition()
        unsafe enter(section, of: thread)
    }

    private static func end(
        _ section: UnsafeMutablePointer<SectionRecord>, of thread: UnsafeMutablePointer<ThreadRecord>
    ) {
        require(
            unsafe thread.pointee.topSection == section, "critical sections end in the order of a stack")
        let isAttached = unsafe Attachment.current == thread
        // Detached: its body could not attach again (the interpreter shuts down), and throws. The section is suspended,
        // and so are those around it.
        assert(unsafe isAttached || !section.pointee.isEntered, "A2")
        unsafe leave(section)
        let outer = unsafe section.pointee.outer
        unsafe thread.pointee.topSection = outer
        if let outer = unsafe outer {
            if isAttached, unsafe !recheck("section.outer", outer.pointee.isEntered) {  // C3
                unsafe enter(outer, of: thread)
            }
        } else {
            unsafe thread.updateTransition()
        }
    }

    private static func names(
        _ section: UnsafeMutablePointer<SectionRecord>, _ object: UnsafeMutableRawPointer?
    ) -> Bool {
        guard unsafe section.pointee.isEntered else { return false }
        if unsafe section.pointee.isCovered { return unsafe names(section.pointee.outer!, object) }
        if unsafe section.pointee.first.pointee == object { return true }
        guard let second = unsafe section.pointee.second else { return false }
        return unsafe second.pointee == object
    }

    /// Takes the locks of an innermost section that is not entered.
    private static func enter(
        _ section: UnsafeMutablePointer<SectionRecord>, of thread: UnsafeMutablePointer<ThreadRecord>
    ) {
        if unsafe section.pointee.isCovered {
            // The section around may have been suspended meanwhile; then this one locks for itself.
            if unsafe recheck("section.covered", section.pointee.outer!.pointee.isEntered) {
                unsafe section.pointee.isEntered = true
                return
            }
            unsafe section.pointee.isCovered = false
        }
        // The slot whose lock is waited for; the other is only tried.
        var waited = unsafe section.pointee.first
        var tried = unsafe section.pointee.second
        var holdsWaited = unsafe LockBits.tryLock(lockWord(of: waited), shift: lockShift)
        var waitingSince: UInt64 = 0
        while true {
            if !holdsWaited {
                holdsWaited = unsafe park(at: waited, of: thread, waitingSince: &waitingSince)
            }
            if !holdsWaited { continue }
            guard let other = unsafe tried, unsafe other.pointee != waited.pointee else { break }
            if unsafe LockBits.tryLock(lockWord(of: other), shift: lockShift) { break }
            unsafe LockBits.unlock(lockWord(of: waited), shift: lockShift)
            unsafe swap(&waited, &tried!)
            holdsWaited = false
        }
        unsafe section.pointee.isEntered = true
    }

    /// Releases the locks of a section, if it is entered.
    private static func leave(_ section: UnsafeMutablePointer<SectionRecord>) {
        guard unsafe section.pointee.isEntered else { return }
        unsafe section.pointee.isEntered = false
        if unsafe section.pointee.isCovered { return }
        let first = unsafe section.pointee.first
        if let second = unsafe section.pointee.second, unsafe second.pointee != first.pointee {
            unsafe LockBits.unlock(lockWord(of: second), shift: lockShift)
        }
        unsafe LockBits.unlock(lockWord(of: first), shift: lockShift)
    }

    // MARK: Waiting, and what attach and detach do

    /// Sleeps, detached, for the lock of the object in `slot`. True if the lock was handed over.
    private static func park(
        at slot: ObjectSlot, of thread: UnsafeMutablePointer<ThreadRecord>,
        waitingSince: inout UInt64
    ) -> Bool {
        let word = unsafe lockWord(of: slot)
        var hasDetached = false
        let outcome = unsafe LockBits.lockOrRetry(
            word, shift: lockShift, waitingSince: &waitingSince
        ) {
            // Queued already, so whatever is released from here on wakes us (C1).
            unsafe thread.pointee.parkedOn.store(UInt(bitPattern: word), ordering: .relaxed)
            unsafe suspendAll(of: thread)
            unsafe Attachment.stepAside(thread)
            hasDetached = true
        }
        if hasDetached {
            unsafe thread.pointee.parkedOn.store(0, ordering: .relaxed)
            unsafe Attachment.reattach(thread, resumingSections: false)
        }
        return outcome != .mustRetry
    }

    /// Suspends every section of a thread that is about to leave `attached` (A2, W14).
    static func suspendAll(of thread: UnsafeMutablePointer<ThreadRecord>) {
        var next = unsafe thread.pointee.topSection
        while let section = unsafe next {
            unsafe leave(section)
            unsafe next = section.pointee.outer
        }
    }

    /// Whether a thread holds a lock by a section. The thread is suspended.
    static func hasEntered(_ thread: UnsafeMutablePointer<ThreadRecord>) -> Bool {
        var next = unsafe thread.pointee.topSection
        while let section = unsafe next {
            if unsafe section.pointee.isEntered { return true }
            unsafe next = section.pointee.outer
        }
        return false
    }

    /// Enters the innermost section again after an attach (C3).
    static func resumeTop(_ thread: UnsafeMutablePointer<ThreadRecord>) {
        let top = unsafe thread.pointee.topSection!
        if unsafe !top.pointee.isEntered { unsafe enter(top, of: thread) }
    }

    /// Wakes every thread of `roster` that is parked on an object's lock, so that it reads its slot again: for
    /// a pause that moves objects. The roster is stopped.
    public static func wakeAllParked(of roster: UnsafeMutablePointer<Roster>) {
        unsafe Roster.forEachThread(of: roster) { thread in
            let address = unsafe thread.pointee.parkedOn.load(ordering: .relaxed)
            if let address = unsafe UnsafeRawPointer(bitPattern: address) {
                unsafe ParkingLot.unparkAll(at: address)
            }
        }
    }

    /// Where the lock stands in the object's type word.
    private static let lockShift: UInt32 = 24

    private static func lockWord(of slot: ObjectSlot) -> UnsafePointer<Atomic<UInt32>> {
        let object = unsafe slot.pointee!
        // The header of a live object, which the slot keeps alive; others change its other bits atomically.
        return unsafe UnsafePointer((object + 12).assumingMemoryBound(to: Atomic<UInt32>.self))
    }
}
