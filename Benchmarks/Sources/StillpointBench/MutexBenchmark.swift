// ParkingMutex against Swift's Mutex: alone; two threads that contend for short sections; and how fairly.
//
// Both protect a counter that is plain memory. Contended, both threads run until the counter has reached a number,
// so that there is contention to the end, whoever gets the lock. What a thread waits is measured in slices of their
// own: the clock is read around each lock then, which takes as long as a short section does.

import Histogram
import StillpointPlatform
import StillpointSynchronization

enum MutexBenchmark {
    private static let turns = 20_000
    private static let sections = 20_000
    private static let contendedSliceCount = 15
    private static let sectionSteps = 10
    private static let outsideSteps = 20
    private static let fairnessNanoseconds: UInt64 = 100_000_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        [
            Row(
                "lock + unlock, uncontended", against: "Synchronization.Mutex",
                uncontended(rounds), bound: .atMost(1.0),
                notes: [
                    "one lock and unlock around one addition; "
                        + "\(Round.sliceCount) slices of \(turns) a round"
                ]),
            Row(
                "2 threads contending, a section", against: "Synchronization.Mutex",
                try Round.measure(
                    rounds, slices: contendedSliceCount,
                    ours: { try contended(Parking()) }, peer: { try contended(Standard()) }),
                bound: .atMost(1.2),
                notes: [
                    "a slice is the time until \(sections) sections are done, by their number; "
                        + "\(contendedSliceCount) slices a round; section "
                        + "\(Figure.duration(duration(of: sectionSteps))), outside "
                        + "\(Figure.duration(duration(of: outsideSteps))); \(Binding.note)"
                ]),
        ] + (try fairness(rounds))
    }

    private static func duration(of steps: Int) -> Double {
        Double(steps) * 1000 / Double(Work.stepsPerMicrosecond)
    }

    private static func uncontended(_ rounds: Int) -> [Round] {
        let ours = Parking()
        let peer = Standard()
        return Round.measure(
            rounds, slices: Round.sliceCount, ours: { alone(ours) }, peer: { alone(peer) })
    }

    private static func alone(_ counter: some GuardedCounter) -> Double {
        nanoseconds { counter.add(turns) } / Double(turns)
    }

    // MARK: Contention

    private static func contended(_ counter: some GuardedCounter) throws -> Double {
        try onTwoThreads { isFirst in
            counter.addWorking(
                until: UInt64(sections), sectionSteps: sectionSteps, outsideSteps: outsideSteps,
                seed: isFirst ? 1 : 2)
        } / Double(sections)
    }

    /// Runs `body` on two threads at once; nanoseconds from both being ready to both being done.
    private static func onTwoThreads(
        _ body: @escaping @Sendable (_ isFirst: Bool) -> Void
    ) throws -> Double {
        let ready = Counters(2)
        let go = Signal()
        let workers = try [true, false].map { isFirst in
            try Worker(on: isFirst ? Binding.pair?.first : Binding.pair?.second) {
                ready[isFirst ? 0 : 1].step()
                while !go.isRaised { spinHint() }
                body(isFirst)
            }
        }
        while ready.values.contains(0) { SystemThread.yield() }
        return nanoseconds {
            go.raise()
            for worker in workers { worker.join() }
        }
    }

    // MARK: Fairness

    private static func fairness(_ rounds: Int) throws -> [Row] {
        var ours: [Waits] = []
        var peer: [Waits] = []
        for _ in 0..<rounds {
            ours.append(try waits(for: Parking()))
            peer.append(try waits(for: Standard()))
        }
        func row(_ what: String, in unit: Unit, _ figure: (Waits) -> Double) -> Row {
            Row(
                what, in: unit, against: "Synchronization.Mutex",
                zip(ours, peer).map { Round(ours: figure($0), peer: figure($1)) }, bound: nil)
        }
        return [
            row("2 threads contending, share of the one served less", in: .share) { $0.smallerShare },
            row("2 threads contending, wait, p99", in: .nanoseconds) { $0.p99 },
            row("2 threads contending, longest wait", in: .nanoseconds) { $0.longest },
        ]
    }

    /// What two threads waited in one slice of time.
    private struct Waits {
        let smallerShare: Double
        let p99: Double
        let longest: Double
    }

    private static func waits(for counter: some GuardedCounter) throws -> Waits {
        let gathered = Gathered<Durations>()
        _ = try onTwoThreads { isFirst in
            gathered.append(
                counter.waits(
                    forNanoseconds: fairnessNanoseconds, sectionSteps: sectionSteps,
                    outsideSteps: outsideSteps, seed: isFirst ? 1 : 2))
        }
        let both = gathered.all
        var all = Durations()
        for one in both { all.add(one) }
        let fewest = both.map(\.count).min() ?? 0
        return Waits(
            smallerShare: Double(fewest) / Double(max(1, all.count)), p99: all.percentile(99),
            longest: all.longest)
    }
}
