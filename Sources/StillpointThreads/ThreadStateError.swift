public import StillpointPlatform

/// Why a call on a thread state, a stop or an interpreter's roster was refused. Nothing was changed.
public enum ThreadStateError: Error, Equatable, CustomStringConvertible {
    /// This OS thread has a thread state attached already: detach it first.
    case alreadyAttached
    /// The call needs an attached thread state, and this OS thread has none.
    case notAttached
    /// The thread state is bound to another OS thread: only that one attaches it.
    case boundToAnotherThread
    /// The call needs a thread state of the target's own interpreter attached.
    case wrongInterpreter
    /// The target is attached, and so somebody else's: it has to detach first.
    case stillAttached
    /// The thread state was cleared: it runs no more.
    case cleared
    /// The interpreter is shutting down: nothing attaches to it any more.
    case shuttingDown
    /// This thread has the world stopped. A stop inside a stop is allowed only over the same interpreter, or
    /// over any while all are stopped.
    case stopInsideStop
    /// A destroy function must not stop the world: it may run on behalf of a held thread.
    case insideDestroyFunction
    /// The runtime has as many thread states as it can tell apart.
    case tooManyThreadStates
    /// The system refused memory, or what a thread needs to be known to it.
    case outOfResources(PlatformError)

    public var description: String {
        switch self {
        case .alreadyAttached: "this thread has a thread state attached already"
        case .notAttached: "this thread has no thread state attached"
        case .boundToAnotherThread: "the thread state is bound to another thread"
        case .wrongInterpreter: "the attached thread state belongs to another interpreter"
        case .stillAttached: "the thread state is still attached"
        case .cleared: "the thread state has been cleared"
        case .shuttingDown: "the interpreter is shutting down"
        case .stopInsideStop: "this thread has stopped the world, over less than it asks for now"
        case .insideDestroyFunction: "a destroy function must not stop the world"
        case .tooManyThreadStates: "the runtime has as many thread states as it can tell apart"
        case .outOfResources(let what): "out of resources: \(what.description)"
        }
    }
}
