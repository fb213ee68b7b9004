// Which OS thread has stopped an interpreter, or a runtime, through the embedder's calls. So that what would wait for
// ever inside one's own stop (to attach, to collect) is refused instead.

internal import Glibc
internal import StillpointPlatform
internal import StillpointThreads

/// The OS thread that has the world stopped, if any.
struct StopMark: ~Copyable {
    /// `CallingThread.identity` of the stopper; 0: none. atomic, no edge: a thread only looks for its own
    private let stopper = Atomic<UInt>(0)

    /// Whether the calling thread has the world stopped.
    borrowing func isMine() -> Bool { stopper.load(ordering: .relaxed) == Self.mine }

    /// Marks the calling thread, which has just stopped the world; returns the mark to put back before it goes on.
    borrowing func set() -> UInt { stopper.exchange(Self.mine, ordering: .relaxed) }

    /// Runs `body` with the world stopped and the calling thread marked, then lets the world go.
    borrowing func with<Result: ~Copyable, Failure: Error>(
        _ stopped: consuming StoppedWorld, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let previous = set()
        do throws(Failure) {
            let result = try body()
            putBack(previous)
            stopped.resume()
            return result
        } catch {
            putBack(previous)
            stopped.resume()
            throw error
        }
    }

    borrowing func putBack(_ previous: UInt) { stopper.store(previous, ordering: .relaxed) }

    private static var mine: UInt { CallingThread.identity }
}
