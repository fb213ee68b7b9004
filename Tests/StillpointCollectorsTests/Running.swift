import Foundation
import StillpointPlatform

/// An OS thread that runs a closure.
final class Running: @unchecked Sendable {
    private let body: () -> Void
    private var thread: SystemThread?

    init(_ body: @escaping () -> Void) {
        self.body = body
        thread = try! SystemThread.start(
            name: "test", argument: Unmanaged.passRetained(self).toOpaque(), body: runTestBody)
    }

    func join() { thread!.join() }

    fileprivate func run() { body() }
}

private func runTestBody(_ argument: UnsafeMutableRawPointer?) {
    Unmanaged<Running>.fromOpaque(argument!).takeRetainedValue().run()
}

/// Two meetings of two threads.
final class Sleeper: @unchecked Sendable {
    private let begun = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    func signal() { begun.signal() }
    func wait() { begun.wait() }
    func end() { ended.signal() }
    func waitForEnd() { ended.wait() }
}

final class Holder: @unchecked Sendable {
    var root: Root?
}
