// From the request to all threads stopped, while the others detach and attach around blocking calls and never poll:
// ours, where a detaching thread tells the stopper, against CPython's way, where the stopper looks again after a
// millisecond. The two are one switch apart.
//
// Each thread works attached, detaches, sleeps, attaches. A stop finds some of them attached: who is told of their
// detaching has the world when they detach; who is not looks again until it finds every one detached.

import StillpointPlatform
import StillpointThreads

enum DetachingBenchmark {
    private static let threadCount = 3
    private static let stopsPerRound = 300
    private static let attachedMicroseconds = 50
    private static let sleepNanoseconds: UInt64 = 50_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed()
        let isOver = Signal()
        let workers = try (0..<threadCount).map { number in
            try Worker { try block(in: bed.interpreter, seed: UInt64(number + 1), until: isOver) }
        }
        defer {
            isOver.raise()
            for worker in workers { worker.join() }
            StopTheWorld.setRescanning(false, in: bed.world)
            bed.end()
        }
        var means: [Round] = []
        var tails: [Round] = []
        _ = try (stops(in: bed, rescanning: false), stops(in: bed, rescanning: true))
        for _ in 0..<rounds {
            let told = try stops(in: bed, rescanning: false)
            let rescanned = try stops(in: bed, rescanning: true)
            means.append(Round(ours: told.mean, peer: rescanned.mean))
            tails.append(Round(ours: told.percentile(99), peer: rescanned.percentile(99)))
        }
        let shape = "\(threadCount) threads, not pinned: \(attachedMicroseconds) µs of work attached, "
            + "then a sleep of \(Figure.duration(Double(sleepNanoseconds))) or a little more detached; "
            + "no poll; \(stopsPerRound) stops a round"
        return [
            Row(
                "request to stopped while threads detach and attach, mean",
                against: "a rescan every millisecond", means, bound: .atMost(0.1), notes: [shape]),
            Row(
                "request to stopped while threads detach and attach, p99",
                against: "a rescan every millisecond", tails, bound: .atMost(0.1)),
        ]
    }

    private static func block(in interpreter: Interpreter, seed: UInt64, until isOver: Signal) throws {
        var work = Work(seed: seed)
        let steps = attachedMicroseconds * Work.stepsPerMicrosecond
        try interpreter.withThread { thread in
            while !isOver.isRaised {
                work.run(steps: steps / 2 + work.number(below: steps))
                Attachment.detach(thread)
                sleep(nanoseconds: sleepNanoseconds)
                attachAgain(thread)
            }
        }
    }

    /// By a requester without a thread state, which sleeps for a while between stops.
    private static func stops(in bed: Bed, rescanning: Bool) throws -> Durations {
        StopTheWorld.setRescanning(rescanning, in: bed.world)
        var times = Durations()
        var work = Work(seed: 3)
        for _ in 0..<stopsPerRound {
            sleep(nanoseconds: 200_000 + UInt64(work.number(below: 200_000)))
            let begun = MonotonicClock.nanoseconds()
            let stopped = try bed.interpreter.stop()
            times.record(MonotonicClock.nanoseconds() - begun)
            stopped.resume()
        }
        return times
    }
}
