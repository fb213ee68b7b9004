import StillpointPlatform

/// An OS thread that runs a closure.
public final class Running: @unchecked Sendable {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var thread: SystemThread?

    public init(stackByteCount: Int? = nil, _ body: @escaping @Sendable () -> Void) {
        // The start is the test's, and does not fail by a plan (FailurePoint.swift); what the body does is the scenario's.
        let plan = FailurePlan.current
        let box = Unmanaged.passRetained(Body { if let plan { plan.withPlan(body) } else { body() } }).toOpaque()
        do {
            thread = try FailurePlan.withoutPlan { () throws(PlatformError) in
                try SystemThread.start(
                    name: "test", stackByteCount: stackByteCount, argument: box, body: runTestBody)
            }
        } catch { fatalError("a test's thread: \(error)") }
    }

    fileprivate static func run(_ argument: UnsafeMutableRawPointer?) {
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
    }

    public func join() {
        thread?.join()
        thread = nil
    }
}

private func runTestBody(_ argument: UnsafeMutableRawPointer?) { Running.run(argument) }

/// Runs `body` on `count` threads at the same time, and waits for them all.
public func runThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Void) {
    let threads = (0..<count).map { index in Running { body(index) } }
    for thread in threads { thread.join() }
}
