// The threads of a run, as the seam sees them: who runs, starts, joins and gives way; and the thread-local variables
// that must be each thread's own though one OS thread runs them all.

internal import CStillpointModel

/// A thread of a run, and the one that runs now.
public struct ModelThread: Sendable, Equatable {
    /// From 0, in the order of the starts.
    public let index: Int

    /// Whether the calling OS thread explores: a thread, a set-up or a check of a run calls.
    public static var isInside: Bool { sp_model_mode() != Mode.outside }

    /// The index of the thread that runs; nil in a set-up or a check, and outside.
    public static var currentIndex: Int? {
        Execution.stepOrOutside(outside: nil, otherwise: { _ in nil }) { $0.current }
    }

    /// Starts a thread, from a thread of the run. What the starter did before, it sees.
    public static func start(
        name: String,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function,
        body: @escaping () -> Void
    ) -> ModelThread {
        let site = Site(fileID: fileID, line: line, function: function)
        return Execution.step(otherwise: { ModelThread(index: $0.addThread(name, body)) }) {
            ModelThread(index: $0.startThread(name, body, site))
        }
    }

    /// Waits until it has ended. What it did, the caller sees.
    public func join(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        let index = index
        Execution.step(otherwise: { execution in
            if !execution.hasEnded(index) { execution.fail("a join in a set-up or check, where the thread cannot end") }
        }) { $0.join(index, site) }
    }

    /// The caller spins: nothing it read since the last time was what it waits for. It runs on when another thread
    /// has changed something, or has nothing to do.
    public static func spinHint(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        let site = Site(fileID: fileID, line: line, function: function)
        Execution.step(otherwise: { _ in }) { $0.spin(site) }
    }

    /// As `spinHint`.
    public static func yield(
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        spinHint(fileID: fileID, line: line, function: function)
    }

    /// From a set-up: makes a thread-local variable of this OS thread one of each thread of the run. Each begins with
    /// the value that the variable has at this call.
    public static func saveThreadLocal(at address: UnsafeMutableRawPointer, byteCount: Int) {
        Execution.step(otherwise: { $0.threadLocals.add(address, byteCount) }) {
            $0.fail("a thread-local variable is named in the set-up")
        }
    }
}
