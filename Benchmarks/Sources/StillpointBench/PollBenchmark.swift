// A loop whose turn is one 48-byte allocation and its free, with a safepoint poll in it and without.

import StillpointMemory
import StillpointThreads

enum PollBenchmark {
    private static let turns = 100_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed()
        defer { bed.end() }
        let measured = try bed.interpreter.withThread { thread in
            Round.measure(
                rounds, slices: Round.sliceCount,
                ours: { nanoseconds { turnPolling(thread, turns) } / Double(turns) },
                peer: { nanoseconds { turn(thread, turns) } / Double(turns) })
        }
        return [
            Row(
                "allocate + free of 48 bytes, with a poll",
                against: "the same loop without the poll", measured, bound: .atMost(1.1),
                notes: ["one turn; \(Round.sliceCount) slices of \(turns) turns a round"])
        ]
    }

    @inline(never)
    private static func turnPolling(_ thread: Thread, _ turns: Int) {
        let heap = thread.heap
        let sizeClass = SizeClass(for: 48)
        for _ in 0..<turns {
            Safepoint.poll(thread)
            guard let block = heap.allocate(sizeClass) else { fatalError("out of memory") }
            ThreadHeap.free(block, by: heap)
        }
    }

    @inline(never)
    private static func turn(_ thread: Thread, _ turns: Int) {
        let heap = thread.heap
        let sizeClass = SizeClass(for: 48)
        for _ in 0..<turns {
            guard let block = heap.allocate(sizeClass) else { fatalError("out of memory") }
            ThreadHeap.free(block, by: heap)
        }
    }
}
