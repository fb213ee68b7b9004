// Two interpreters: what a thread of one loses while the other is stopped, and that a stop of all stops both.
//
// A thread of B polls and counts on a processor of its own. A thread of A attaches, polls, detaches and sleeps, a
// thousand times a second, on the other processor, from which A is stopped. A round is three slices: A runs, A is
// stopped, A runs. The two outer slices give the rate to compare with, and their difference is the noise.

import StillpointPlatform
import StillpointThreads

enum IsolationBenchmark {
    private static let sliceNanoseconds: UInt64 = 100_000_000
    private static let wholeSecond: UInt64 = 1_000_000_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed(interpreterCount: 2)
        let progress = Counters(2)
        let isOver = Signal()
        let a = try Worker(on: Binding.pair?.first) {
            try pollNowAndThen(in: bed.interpreters[0], progress[0], until: isOver)
        }
        let b = try Worker(on: Binding.pair?.second) {
            try pollAlways(in: bed.interpreters[1], progress[1], until: isOver)
        }
        defer {
            isOver.raise()
            a.join()
            b.join()
            bed.end()
        }
        for index in 0..<progress.count { progress[index].waitForAdvance(by: 10) }
        let rows = Gathered<Row>()
        let stopper = try Worker(on: Binding.pair?.first) {
            for row in try measure(bed, progress, rounds) { rows.append(row) }
        }
        stopper.join()
        return rows.all
    }

    private static func pollAlways(
        in interpreter: Interpreter, _ progress: Counters.Counter, until isOver: Signal
    ) throws {
        try interpreter.withThread { thread in
            while !isOver.isRaised {
                Safepoint.poll(thread)
                progress.step()
            }
        }
    }

    private static func pollNowAndThen(
        in interpreter: Interpreter, _ progress: Counters.Counter, until isOver: Signal
    ) throws {
        try interpreter.withThread { thread in
            while !isOver.isRaised {
                Safepoint.poll(thread)
                progress.step()
                Attachment.detach(thread)
                sleep(nanoseconds: 1_000_000)
                attachAgain(thread)
            }
        }
    }

    private static func measure(_ bed: Bed, _ progress: Counters, _ rounds: Int) throws -> [Row] {
        var measured: [Round] = []
        var noise: [Double] = []
        var stoppedCount = 0.0
        for _ in 0..<rounds {
            let before = rate(of: progress[1], forNanoseconds: sliceNanoseconds)
            let (stopped, moved) = try rateWhileStopped(bed, progress, forNanoseconds: sliceNanoseconds)
            let after = rate(of: progress[1], forNanoseconds: sliceNanoseconds)
            measured.append(Round(ours: stopped, peer: (before + after) / 2))
            noise.append(abs(before - after) / max(before, after))
            stoppedCount += moved
        }
        let before = rate(of: progress[1], forNanoseconds: wholeSecond)
        let (second, moved) = try rateWhileStopped(bed, progress, forNanoseconds: wholeSecond)
        stoppedCount += moved
        let both = try countWhileAllStopped(bed, progress, forNanoseconds: wholeSecond)
        return [
            Row(
                "polls of B while A is stopped", in: .perSecond, against: "while A runs", measured,
                bound: .atLeast(0.98),
                notes: [
                    "a round: \(Figure.duration(Double(sliceNanoseconds))) running, stopped, running; "
                        + "the running slices of a round differ by \(Figure.percent(Spread(noise).median)), "
                        + "\(Figure.percent(Spread(noise).most)) at most; \(Binding.note)"
                ]),
            Row(
                "polls of B while A is stopped for a whole second, once", in: .perSecond,
                against: "the second before", [Round(ours: second, peer: before)], bound: nil),
            Row("polls of A while A is stopped", in: .count, Spread(stoppedCount), bound: .zero),
            Row(
                "polls of A and B while all are stopped for a second", in: .count, Spread(both),
                bound: .zero),
        ]
    }

    private static func rate(of counter: Counters.Counter, forNanoseconds slice: UInt64) -> Double {
        let start = (count: counter.value, time: MonotonicClock.nanoseconds())
        SystemThread.sleep(untilNanoseconds: start.time + slice)
        let count = counter.value - start.count
        return Double(count) * 1e9 / Double(MonotonicClock.nanoseconds() - start.time)
    }

    /// B's rate while A is stopped, and how often A's thread polled meanwhile.
    private static func rateWhileStopped(
        _ bed: Bed, _ progress: Counters, forNanoseconds slice: UInt64
    ) throws -> (rate: Double, moved: Double) {
        let stopped = try bed.interpreters[0].stop()
        let before = progress[0].value
        let rate = rate(of: progress[1], forNanoseconds: slice)
        let moved = progress[0].value - before
        stopped.resume()
        return (rate, Double(moved))
    }

    private static func countWhileAllStopped(
        _ bed: Bed, _ progress: Counters, forNanoseconds slice: UInt64
    ) throws -> Double {
        let stopped = try StopTheWorld.begin(bed.world, scope: nil)
        let before = progress.values.reduce(0, +)
        sleep(nanoseconds: slice)
        let count = progress.values.reduce(0, +) - before
        stopped.resume()
        return Double(count)
    }
}
