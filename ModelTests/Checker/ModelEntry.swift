// What floor 1's seam calls besides atomics: sleeping, waking, time, threads, locks, grace periods, memory. Each has
// the meaning of the thing that it stands for, as a specification: docs/verification.md.
//
// Inside a run's set-up, invariants and final checks no other thread runs: what would block there fails the run.
// Outside an exploration (`ModelThread.isInside` is false) the seam does the real thing itself and calls none of these.

internal import CStillpointModel

enum Mode {
    static var outside: CInt { 0 }
    static var quiet: CInt { 1 }
    static var thread: CInt { 2 }
    static var checker: CInt { 3 }
}

/// How a futex wait ended.
public enum ModelFutexOutcome: Sendable, Equatable {
    case woken
    case valueDiffers
    case timedOut
}

/// Sleeping on the address of a 32-bit word. As the kernel's: the comparison reads the newest value and is one step
/// with the falling asleep; neither wait nor wake orders anything else.
public enum ModelFutex {
    public static func wait(
        on address: UnsafeRawPointer, while expected: UInt32, untilNanoseconds deadline: UInt64? = nil,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> ModelFutexOutcome {
        let site = Site(fileID: fileID, line: line, function: function)
        return Execution.step(otherwise: { execution in
            if UInt32(truncatingIfNeeded: sp_plain_load(address, 4)) != expected { return .valueDiffers }
            execution.fail("a futex wait in a set-up or check, where nobody can wake it")
        }) {
            $0.futexWait(UInt(bitPattern: address), expected, deadline, site)
        }
    }

    /// Wakes at most `count` sleepers, the longest asleep first (another order is a choice); returns how many. Reads no
    /// memory.
    @discardableResult
    public static func wake(
        _ address: UnsafeRawPointer, count: Int = 1,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Int {
        let site = Site(fileID: fileID, line: line, function: function)
        return Execution.step(otherwise: { _ in 0 }) {
            $0.futexWake(UInt(bitPattern: address), count, site)
        }
    }
}

/// The clock of a run: it stands still but when a sleeper's deadline is let pass, or when a reading chooses to jump
/// (`Model.clockJumpNanoseconds`).
public enum ModelClock {
    public static func nanoseconds(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> UInt64 {
        let site = Site(fileID: fileID, line: line, function: function)
        return Execution.step(otherwise: { $0.clock }) { $0.readClock(site) }
    }

    public static func sleep(
        untilNanoseconds deadline: UInt64,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { $0.clock = max($0.clock, deadline) }) { $0.sleep(deadline, site) }
    }
}

/// A lock by specification, named by an address: no fairness, not recursive, and an edge from each unlock to the
/// locks that follow.
public enum ModelLock {
    public static func lock(
        at address: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        let address = UInt(bitPattern: address)
        Execution.step(otherwise: { execution in
            guard execution.takeLock(address, by: Execution.controlIndex) else {
                execution.fail("a lock that is held, in a set-up or check, where nobody can let it go")
            }
        }) { $0.lock(address, site) }
    }

    public static func tryLock(
        at address: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Bool {
        let site = Site(fileID: fileID, line: line, function: function)
        let address = UInt(bitPattern: address)
        return Execution.step(otherwise: { $0.takeLock(address, by: Execution.controlIndex) }) {
            $0.tryLock(address, site)
        }
    }

    public static func unlock(
        at address: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        let address = UInt(bitPattern: address)
        Execution.step(otherwise: { $0.releaseLock(address, by: Execution.controlIndex) }) {
            $0.unlock(address, site)
        }
    }
}

/// Grace periods by specification: liburcu's quiescent-state flavour.
public enum ModelGracePeriod {
    /// Makes the calling thread a reader, offline; nothing if it is one.
    public static func register() { Execution.step(otherwise: { _ in }) { $0.registerReader() } }

    public static func unregister() { Execution.step(otherwise: { _ in }) { $0.unregisterReader() } }

    /// From here on no grace period that begins ends before a quiescent state of this thread.
    public static func online(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { $0.setControlOnline(true) }) { $0.goOnline(site) }
    }

    public static func offline(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { $0.setControlOnline(false) }) { $0.goOffline(site) }
    }

    public static func quiescentState(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { _ in }) { $0.passQuiescentState(site) }
    }

    /// No step: a thread's own.
    public static var isOnline: Bool {
        Execution.step(otherwise: { $0.isControlOnline }) { $0.isOnline }
    }

    /// Returns when every thread that was online when it began has passed a quiescent state or gone offline since.
    public static func synchronize(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { _ in }) { $0.synchronize(site) }
    }
}

/// What an allocator tells of memory, and plain accesses that no compiler reports.
public enum ModelMemory {
    public static func allocated(at address: UnsafeRawPointer, byteCount: Int) {
        sp_model_allocated(address, byteCount)
    }

    /// Call before the memory is given back.
    public static func freed(at address: UnsafeRawPointer, byteCount: Int) { sp_model_freed(address, byteCount) }

    /// The same for a whole block of the C allocator, which knows how long it is.
    public static func freed(block: UnsafeRawPointer) { sp_model_freed(block, sp_model_block_size(block)) }

    public static func read(
        at address: UnsafeRawPointer, byteCount: Int,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { _ in }) { $0.plainAccess(UInt(bitPattern: address), byteCount, false, site) }
    }

    public static func written(
        at address: UnsafeRawPointer, byteCount: Int,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { _ in }) { $0.plainAccess(UInt(bitPattern: address), byteCount, true, site) }
    }
}

/// Ends the run as a failure, and does not return, if the caller is inside one.
public func modelFailure(_ text: @autoclosure () -> String) {
    guard ModelThread.isInside else { return }
    _ = sp_model_enter()
    Execution.withCurrent { $0.fail(text()) }
}

/// Whether the recheck of this name is to be taken as passed in this run: a mutant.
public func modelOmitsRecheck(_ name: StaticString) -> Bool {
    guard ModelThread.isInside else { return false }
    return Execution.step(otherwise: { $0.omitsRecheck(name) }) { $0.omitsRecheck(name) }
}
