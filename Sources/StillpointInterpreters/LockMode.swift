// Whether the threads of an interpreter run in parallel.

internal import StillpointPlatform
internal import StillpointThreads

/// How many threads of an interpreter may be attached at a time. Chosen when the interpreter is made.
public enum LockMode: Sendable {
    /// As the runtime's options say (`RuntimeOptions.interpreterLock`).
    case byOptions
    /// Free threading: as many as there are.
    case none
    /// One: the interpreter has a lock of its own, which its threads hand over at safepoints.
    case own
    /// One of this interpreter and of all others that share the lock.
    case shared(with: Interpreter)
}

/// Keeps an interpreter lock in memory as long as an interpreter refers to it.
@safe
final class LockOwner: @unchecked Sendable {
    /// immutable
    let lock: UnsafeMutablePointer<InterpreterLock>

    init() throws(PlatformError) { unsafe lock = try InterpreterLock.make() }

    deinit { unsafe InterpreterLock.destroy(lock) }
}
