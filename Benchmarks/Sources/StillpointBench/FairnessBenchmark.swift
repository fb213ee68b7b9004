// Two threads stop the world in a loop, without a pause between, while eight work: does each of the eight get on in
// each second? There is no peer: CPython's back-to-back stops starve threads. Ten seconds, whatever the rounds.

import StillpointPlatform
import StillpointThreads
import Synchronization

enum FairnessBenchmark {
    private static let stopperCount = 2
    private static let workerCount = 8
    private static let seconds = 10
    private static let microsecondsPerStep = 1

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed()
        let progress = Counters(workerCount)
        let stops = Counters(stopperCount)
        let isOver = Signal()
        var threads: [Worker] = []
        defer {
            isOver.raise()
            for thread in threads { thread.join() }
            bed.end()
        }
        for index in 0..<workerCount {
            threads.append(
                try Worker { try work(in: bed.interpreter, progress[index], until: isOver) })
        }
        for index in 0..<stopperCount {
            threads.append(
                try Worker { try stopAgainAndAgain(bed.interpreter, stops[index], until: isOver) })
        }
        // Every thread has begun.
        for index in 0..<workerCount { progress[index].waitAsleepForAdvance() }
        for index in 0..<stopperCount { stops[index].waitAsleepForAdvance() }

        var advances: [Double] = []
        var stopRates: [Double] = []
        for _ in 0..<seconds {
            let before = (work: progress.values, stops: stops.values.reduce(0, +))
            let time = nanoseconds { sleep(nanoseconds: 1_000_000_000) }
            advances += zip(progress.values, before.work).map { Double($0 - $1) }
            stopRates.append(Double(stops.values.reduce(0, +) - before.stops) * 1e9 / time)
        }
        return [
            Row(
                "steps of each of \(workerCount) threads in each of \(seconds) seconds, "
                    + "while \(stopperCount) stop the world in a loop",
                in: .count, Spread(advances), bound: .moreThan(0),
                notes: [
                    "the least of all threads and seconds counts; a step is \(microsecondsPerStep) µs of work "
                        + "and a poll; not pinned"
                ]),
            Row("stops in a second meanwhile", in: .perSecond, Spread(stopRates), bound: nil),
        ]
    }

    private static func work(
        in interpreter: Interpreter, _ progress: Counters.Counter, until isOver: Signal
    ) throws {
        var work = Work(seed: UInt64(UInt(bitPattern: progress)))
        let steps = microsecondsPerStep * Work.stepsPerMicrosecond
        try interpreter.withThread { thread in
            while !isOver.isRaised {
                work.run(steps: steps)
                progress.step()
                Safepoint.poll(thread)
            }
        }
    }

    private static func stopAgainAndAgain(
        _ interpreter: Interpreter, _ stops: Counters.Counter, until isOver: Signal
    ) throws {
        try interpreter.withThread { thread in
            while !isOver.isRaised {
                try interpreter.stop().resume()
                stops.step()
                Safepoint.poll(thread)
            }
        }
    }
}

extension UnsafeMutablePointer<Atomic<UInt64>> {
    /// Waits until the counter has moved from zero, giving the processor to those who move it.
    fileprivate func waitAsleepForAdvance() {
        while value == 0 { sleep(nanoseconds: 1_000_000) }
    }
}
