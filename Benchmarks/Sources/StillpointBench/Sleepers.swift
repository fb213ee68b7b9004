// Threads that have attached, have detached, and sleep: the blocked threads of a server.

import StillpointPlatform
import StillpointThreads

/// A number of OS threads with detached thread states; they sleep until they are ended.
final class Sleepers: Sendable {
    private let isOver = Signal()
    private let workers: [Worker]

    init(_ count: Int, in interpreter: Interpreter) throws {
        let isOver = self.isOver
        let detached = Gathered<Void>()
        workers = try (0..<count).map { _ in
            try Worker(stackByteCount: 128 * 1024) {
                try interpreter.withThread { thread in
                    Attachment.detach(thread)
                    detached.append(())
                    isOver.wait()
                    attachAgain(thread)
                }
            }
        }
        while detached.all.count < count { sleep(nanoseconds: 1_000_000) }
    }

    func end() {
        isOver.raise()
        for worker in workers { worker.join() }
    }
}
