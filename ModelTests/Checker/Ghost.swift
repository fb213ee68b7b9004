// What a model keeps beside the protocol in order to check it.
//
// Steps that sleep sets take as independent may be followed by accesses to one ghost: explore a model with ghosts depth
// first, or by chance.

internal import CStillpointModel

/// A value that the threads of a model read and write for its checks alone: no step, orders nothing, races with none.
public final class Ghost<Value> {
    private var stored: Value

    public init(_ value: Value) { stored = value }

    public var value: Value {
        get { quietly { stored } }
        set { quietly { stored = newValue } }
    }
}

/// Runs `body` as a check between two steps: what it does is no step, and its accesses are not noted. Its atomics see
/// the newest values. It changes nothing that the protocol sees.
public func quietly<Result>(_ body: () -> Result) -> Result {
    guard sp_model_enter() == Mode.thread else { return body() }
    defer { sp_model_set_mode(Mode.thread) }
    return body()
}
