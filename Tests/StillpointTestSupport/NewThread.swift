/// Runs `body` on an OS thread of its own and waits for it: for what happens once a thread, as its registration.
package func onNewThread(_ body: () throws -> Void) throws {
    let outcome = Outcome()
    withoutActuallyEscaping(body) { body in
        nonisolated(unsafe) let body = body
        Running { outcome.result = Result { try body() } }.join()
    }
    try outcome.result!.get()
}

/// Written by the thread, read after its join.
private final class Outcome: @unchecked Sendable {
    var result: Result<Void, any Error>?
}
