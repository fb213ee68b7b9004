import Foundation

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
