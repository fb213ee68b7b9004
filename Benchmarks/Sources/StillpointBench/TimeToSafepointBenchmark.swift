// From the request to all threads stopped: one thread a processor, one of them the requester. The peer is the time
// a futex takes from one processor to the other: half the median round trip of two threads that wake each other.
// Then the same with 1,000 detached threads beside the two.
//
// Two beds stand side by side for the whole run, one of two threads and one of those and 1,000 more; each round
// measures stops in the first, the futex, and stops in the second. A stop begins when the other thread has polled
// for a while since the last one, at an irregular moment.

import StillpointPlatform
import StillpointThreads
import Synchronization

enum TimeToSafepointBenchmark {
    private static let stopsPerRound = 2_000
    private static let tripsPerRound = 1_000
    private static let detachedCount = 1_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let few = try Bed()
        let many = try Bed()
        let sleepers = try Sleepers(detachedCount, in: many.interpreter)
        defer {
            sleepers.end()
            many.end()
            few.end()
        }
        var fewAll = Durations()
        var manyAll = Durations()
        var againstFutex: [Round] = []
        var againstFew: [Round] = []
        _ = try (stops(in: few), halfTrip(), stops(in: many))
        for _ in 0..<rounds {
            let fewStops = try stops(in: few)
            let futex = try halfTrip()
            let manyStops = try stops(in: many)
            againstFutex.append(Round(ours: fewStops.percentile(99), peer: futex))
            againstFew.append(Round(ours: manyStops.percentile(99), peer: fewStops.percentile(99)))
            fewAll.add(fewStops)
            manyAll.add(manyStops)
        }
        return [
            Row(
                "request to stopped, 2 threads polling, p99",
                against: "half a futex round trip between two processors, p50", againstFutex,
                bound: .atMost(1.0), notes: [summary(fewAll), Binding.note]),
            Row(
                "request to stopped, \(detachedCount) more threads detached, p99",
                against: "the same without them", againstFew, bound: .atMost(2.0),
                notes: [summary(manyAll)]),
        ]
    }

    private static func summary(_ stops: Durations) -> String {
        "\(stops.count) stops in all: p50 \(Figure.duration(stops.percentile(50))), "
            + "p99 \(Figure.duration(stops.percentile(99))), longest \(Figure.duration(stops.longest))"
    }

    // MARK: Stops

    /// Stops an interpreter again and again, another thread polling on another processor.
    private static func stops(in bed: Bed) throws -> Durations {
        let progress = Counters(1)
        let isOver = Signal()
        let times = Gathered<Durations>()
        let poller = try Worker(on: Binding.pair?.second) {
            try bed.interpreter.withThread { thread in
                while !isOver.isRaised {
                    Safepoint.poll(thread)
                    progress[0].step()
                }
            }
        }
        let requester = try Worker(on: Binding.pair?.first) {
            times.append(try requestStops(in: bed.interpreter, watching: progress[0]))
            isOver.raise()
        }
        requester.join()
        poller.join()
        return times.all[0]
    }

    private static func requestStops(
        in interpreter: Interpreter, watching progress: Counters.Counter
    ) throws -> Durations {
        var times = Durations()
        var work = Work(seed: 7)
        let steps = Work.stepsPerMicrosecond
        return try interpreter.withThread { _ in
            for _ in 0..<stopsPerRound {
                progress.waitForAdvance(by: 1_000)
                work.run(steps: work.number(below: 20) * steps)
                let begun = MonotonicClock.nanoseconds()
                let stopped = try interpreter.stop()
                times.record(MonotonicClock.nanoseconds() - begun)
                stopped.resume()
            }
            return times
        }
    }

    // MARK: The futex

    /// Half the median round trip of two threads, each waking the other and sleeping then, in nanoseconds.
    private static func halfTrip() throws -> Double {
        let balls = FutexBalls()
        let times = Gathered<Durations>()
        let second = try Worker(on: Binding.pair?.second) {
            for trip in 1...UInt32(tripsPerRound) {
                balls.there.wait(for: trip)
                balls.back.send(trip)
            }
        }
        let first = try Worker(on: Binding.pair?.first) {
            var trips = Durations()
            for trip in 1...UInt32(tripsPerRound) {
                let begun = MonotonicClock.nanoseconds()
                balls.there.send(trip)
                balls.back.wait(for: trip)
                trips.record(MonotonicClock.nanoseconds() - begun)
            }
            times.append(trips)
        }
        first.join()
        second.join()
        return times.all[0].percentile(50) / 2
    }
}

/// The two words of the futex round trip.
private final class FutexBalls: Sendable {
    let there = Ball()
    let back = Ball()

    final class Ball: Sendable {
        private let word = Atomic<UInt32>(0)

        func send(_ number: UInt32) {
            word.store(number, ordering: .releasing)
            withUnsafePointer(to: word) { _ = Futex.wake($0) }
        }

        func wait(for number: UInt32) {
            while word.load(ordering: .acquiring) != number {
                withUnsafePointer(to: word) { _ = Futex.wait(on: $0, while: number - 1) }
            }
        }
    }
}
