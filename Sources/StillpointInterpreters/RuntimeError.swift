// Why a call on a runtime, an interpreter or a thread was refused. One type for all of the embedder's calls, so that
// who catches it can be exhaustive.

public import StillpointCollectors
public import StillpointPlatform
public import StillpointThreads

/// Why a call on a runtime, an interpreter or a thread was refused. The call changed nothing, unless it says otherwise.
public enum RuntimeError: Error, Equatable, CustomStringConvertible {
    /// The runtime or interpreter is shutting down, or has: nothing begins in it any more.
    case shuttingDown
    /// `shutdown` was called from a thread that has a state attached; it has to detach first.
    case attachedDuringShutdown
    /// `shutdown` was called in a `detached` of the same interpreter: it would wait for the scope that it is called in.
    case insideDuringShutdown
    /// A thread that an interpreter started called `join` on itself.
    case joinOfItself
    /// The runtime is in use still: interpreters that were not shut down, or calls under way.
    case stillInUse(count: Int)
    /// The interpreter whose lock was to be shared has none, or belongs to another runtime.
    case noLockToShare
    /// A thread state was used, attached, ended or stopped the world where it must not.
    case thread(ThreadStateError)
    /// A collection was asked for where it cannot be.
    case collection(CollectionError)
    /// The system refused memory or a thread.
    case system(PlatformError)
    /// A `STILLPOINT_` variable does not parse.
    case option(OptionError)

    public var description: String {
        switch self {
        case .shuttingDown: "the interpreter or runtime is shutting down"
        case .attachedDuringShutdown: "shutdown was called with a thread state attached"
        case .insideDuringShutdown: "shutdown was called in a `detached` of the same interpreter"
        case .joinOfItself: "a started thread joins itself"
        case .stillInUse(let count): "the runtime is in use still, by \(count) interpreters and calls"
        case .noLockToShare: "there is no interpreter lock to share with that interpreter"
        case .thread(let error): error.description
        case .collection(let error): error.description
        case .system(let error): error.description
        case .option(let error): error.description
        }
    }
}

extension RuntimeError {
    /// Runs `body`, whose errors floor 4 throws.
    static func ofThreads<Result: ~Copyable>(
        _ body: () throws(ThreadStateError) -> Result
    ) throws(RuntimeError) -> Result {
        do throws(ThreadStateError) { return try body() } catch {
            if error == .shuttingDown { throw .shuttingDown }
            throw .thread(error)
        }
    }

    /// Runs `body`, whose errors the system throws.
    static func ofSystem<Result: ~Copyable>(
        _ body: () throws(PlatformError) -> Result
    ) throws(RuntimeError) -> Result {
        do throws(PlatformError) { return try body() } catch { throw .system(error) }
    }
}
