// The seam under the trait ModelCheck: the same names as in Seam.swift, on the model checker. Inside a model's thread every
// operation is a step that the checker's scheduler may switch at; outside (a model's set-up, other threads of the
// process) it is the operation itself. Places are passed on, so that a mutant can be told where to strike.

#if ModelCheck
internal import CStillpoint
@_exported public import StillpointModel
@_exported public import protocol Synchronization.AtomicRepresentable

// MARK: Sleeping on an address, the clock, spinning

public enum FutexOutcome: Sendable {
    case woken
    case valueDiffers
    case timedOut
}

public enum Futex {
    @discardableResult
    public static func wait(
        on word: UnsafePointer<Atomic<UInt32>>, while expected: UInt32, untilNanoseconds deadline: UInt64? = nil,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> FutexOutcome {
        let outcome = unsafe ModelFutex.wait(
            on: UnsafeRawPointer(word), while: expected, untilNanoseconds: deadline,
            fileID: fileID, line: line, function: function)
        return switch outcome {
        case .woken: .woken
        case .valueDiffers: .valueDiffers
        case .timedOut: .timedOut
        }
    }

    @discardableResult
    public static func wake(
        _ word: UnsafePointer<Atomic<UInt32>>, count: Int = 1,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Int {
        unsafe ModelFutex.wake(
            UnsafeRawPointer(word), count: count, fileID: fileID, line: line, function: function)
    }
}

public enum MonotonicClock {
    public static func nanoseconds() -> UInt64 { ModelClock.nanoseconds() }
}

public func spinHint(
    fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
) {
    if ModelThread.isInside {
        ModelThread.spinHint(fileID: fileID, line: line, function: function)
    } else {
        sp_spin_hint()
    }
}

public func spinLimit(_ count: Int) -> Int { min(count, 1) }

public func partCount(_ count: Int) -> Int { min(count, 32) }

public func recheck(_ name: StaticString, _ condition: Bool) -> Bool { condition || modelOmitsRecheck(name) }

// MARK: Threads

/// A model starts its threads by the checker; what is started here is a thread of the system's, outside of the model.
public struct SystemThread: Sendable {
    private enum Thread {
        case posix(PosixThread)
        case model(ModelThread)
    }
    private let thread: Thread

    /// A thread of the model in the place of one that the source would have started.
    public init(_ thread: ModelThread) { self.thread = .model(thread) }

    private init(_ thread: PosixThread) { self.thread = .posix(thread) }

    public static func start(
        name: String, stackByteCount: Int? = nil, processor: Int? = nil, argument: UnsafeMutableRawPointer?,
        body: @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) throws(PlatformError) -> SystemThread {
        SystemThread(try unsafe PosixThread.start(
            name: name, stackByteCount: stackByteCount, processor: processor, argument: argument, body: body))
    }

    public func join(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        switch thread {
        case .posix(let thread): thread.join()
        case .model(let thread): thread.join(fileID: fileID, line: line, function: function)
        }
    }

    public func detach() {
        if case .posix(let thread) = thread { thread.detach() }
    }

    public static func yield(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        if ModelThread.isInside {
            ModelThread.yield(fileID: fileID, line: line, function: function)
        } else {
            PosixThread.yield()
        }
    }

    public static func sleep(untilNanoseconds deadline: UInt64) {
        if ModelThread.isInside {
            ModelClock.sleep(untilNanoseconds: deadline)
        } else {
            PosixThread.sleep(untilNanoseconds: deadline)
        }
    }
}

public enum CallingThread {
    public static var identity: UInt { ModelThread.currentIndex.map { UInt($0) + 1 } ?? sp_os_thread_identity() }
    public static var readerNumber: UInt { ModelThread.currentIndex.map { UInt($0) + 1 } ?? UInt.max >> 1 }
}

extension ModelThread {
    /// Makes each thread of a model have a current thread record of its own. To be called in a model's set-up.
    public static func separateCurrentThread() {
        unsafe saveThreadLocal(at: sp_current_thread_location(), byteCount: MemoryLayout<UInt>.size)
    }
}

public enum Quiescence {
    public static func register() throws(PlatformError) { ModelGracePeriod.register() }
    public static func goOnline(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        ModelGracePeriod.online(fileID: fileID, line: line, function: function)
    }
    public static func goOffline(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        ModelGracePeriod.offline(fileID: fileID, line: line, function: function)
    }
    public static func announce(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        ModelGracePeriod.quiescentState(fileID: fileID, line: line, function: function)
    }
    /// A fork between two explorations asks, too.
    public static var isOnline: Bool { ModelThread.isInside && ModelGracePeriod.isOnline }
    public static func waitForGracePeriod(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        ModelGracePeriod.synchronize(fileID: fileID, line: line, function: function)
    }
}

// MARK: Locks as specified

public enum SpecifiedLock {
    case bucket, mutex

    /// Which locks are as specified in the model that runs. Set in its set-up.
    nonisolated(unsafe) public static var specified: [SpecifiedLock] = []
    /// The one among them that is run all the same, by its key.
    nonisolated(unsafe) public static var exception: UnsafeRawPointer?

    public func lock(
        at key: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Bool {
        guard unsafe isSpecified(key) else { return false }
        unsafe ModelLock.lock(at: key, fileID: fileID, line: line, function: function)
        return true
    }

    public func tryLock(
        at key: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Bool? {
        guard unsafe isSpecified(key) else { return nil }
        return unsafe ModelLock.tryLock(at: key, fileID: fileID, line: line, function: function)
    }

    public func unlock(
        at key: UnsafeRawPointer,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Bool {
        guard unsafe isSpecified(key) else { return false }
        unsafe ModelLock.unlock(at: key, fileID: fileID, line: line, function: function)
        return true
    }

    private func isSpecified(_ key: UnsafeRawPointer) -> Bool {
        unsafe ModelThread.isInside && Self.specified.contains(self) && key != Self.exception
    }
}

// MARK: Memory and misuse

/// As if it were used for something else at once: who still looks at it then races with that.
public func noteEndOfLife<Value: ~Copyable>(
    of value: UnsafeMutablePointer<Value>,
    fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
) {
    unsafe ModelMemory.written(
        at: UnsafeRawPointer(value), byteCount: MemoryLayout<Value>.size, fileID: fileID, line: line, function: function)
}

func noteAllocation(_ block: UnsafeMutableRawPointer, byteCount: Int) {
    unsafe ModelMemory.allocated(at: block, byteCount: byteCount)
}

func noteRelease(_ block: UnsafeMutableRawPointer) {
    unsafe ModelMemory.freed(block: block)
}

func noteMisuse(_ text: String) { modelFailure(text) }
#endif
