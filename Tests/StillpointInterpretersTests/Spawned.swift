import StillpointPlatform

/// An OS thread of a test's own, without a thread state.
final class Spawned: @unchecked Sendable {
    private let body: @Sendable () -> Void
    private var thread: SystemThread?

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
        thread = try! SystemThread.start(
            name: "test", argument: Unmanaged.passRetained(self).toOpaque(), body: runSpawned)
    }

    func join() { thread!.join() }

    fileprivate func run() { body() }
}

private func runSpawned(_ argument: UnsafeMutableRawPointer?) {
    Unmanaged<Spawned>.fromOpaque(argument!).takeRetainedValue().run()
}
