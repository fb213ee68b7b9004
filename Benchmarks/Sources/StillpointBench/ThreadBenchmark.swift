// A thread made, attached, ended: an OS thread with a thread state of its own, against the OS thread alone.

import Foundation
import StillpointPlatform
import StillpointThreads

enum ThreadBenchmark {
    private static let threadsPerSlice = 20

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed()
        defer { bed.end() }
        let measured = try Round.measure(
            rounds, slices: Round.sliceCount,
            ours: {
                try nanoseconds {
                    for _ in 0..<threadsPerSlice { try runThread(in: bed.interpreter) }
                } / Double(threadsPerSlice)
            },
            peer: {
                nanoseconds {
                    for _ in 0..<threadsPerSlice { runBareThread() }
                } / Double(threadsPerSlice)
            })
        return [
            Row(
                "a thread made, attached, ended", against: "pthread_create + pthread_join", measured,
                bound: .atMost(1.3),
                notes: [
                    "one thread after another, \(Round.sliceCount) slices of \(threadsPerSlice) a round; "
                        + "default stacks, not pinned"
                ])
        ]
    }

    private static func runThread(in interpreter: Interpreter) throws {
        let thread = try Roster.makeThread(in: interpreter.roster)
        try SystemThread.start(name: "", argument: thread, body: attachAndEnd).join()
    }

    private static func runBareThread() {
        var handle = pthread_t()
        let failure = pthread_create(&handle, nil, { _ in nil }, nil)
        precondition(failure == 0, "pthread_create: error \(failure)")
        pthread_join(handle, nil)
    }
}

private func attachAndEnd(_ argument: UnsafeMutableRawPointer?) {
    guard let thread = argument?.assumingMemoryBound(to: ThreadRecord.self) else { return }
    attachAgain(thread)
    do {
        try Roster.clear(thread, by: thread)
    } catch {
        fatalError("the benchmark's own thread state cannot be cleared: \(error)")
    }
    Roster.deleteCurrent(thread)
}
