import StillpointPlatform

/// The others at once, in one process: each lane runs one scenario after the other, drawn from the seed by weight,
/// for a time and with a number of threads drawn, too. What they share (parking lot, liburcu, the system's memory)
/// meets every protocol at once. The first lane stays with one interpreter from begin to end, so that what piles up
/// in a long life is seen.
enum MixedScenario: Scenario {
    static let name = "mixed"
    static let summary = "the others at once in one process, drawn by weight; one interpreter lives throughout"
    static let weight = 0
    static let smoke = SmokeBudget(operations: 1_000_000_000, seconds: 4)

    static let steady: any Scenario.Type = ObjectGraphScenario.self

    static func run(_ context: StressContext) throws {
        let totals = Guarded<[String: RunFigures]>([:])
        let laneCount = max(2, (context.threadCount + 1) / 2)
        try context.runWorkers(laneCount) { worker in
            if worker.index == 0 {
                try run(steady, seconds: context.budget.seconds, totals, &worker)
                return
            }
            while worker.isRunning, !context.isOver {
                let scenario = draw(&worker.random)
                // Most runs are short, for many births and deaths; some are long.
                let milliseconds = worker.random.oneIn(8) ? worker.random.below(8_000) : worker.random.below(600)
                try run(scenario, seconds: Double(milliseconds + 20) / 1_000, totals, &worker)
            }
        }
        print(totals.withLock { $0 })
    }

    private static func draw(_ random: inout SplitMix64) -> any Scenario.Type {
        var place = random.below(allScenarios.reduce(0) { $0 + $1.weight })
        for scenario in allScenarios {
            place -= scenario.weight
            if place < 0 { return scenario }
        }
        return steady
    }

    private static func run(
        _ scenario: any Scenario.Type, seconds: Double, _ totals: Guarded<[String: RunFigures]>,
        _ worker: inout Worker
    ) throws {
        let whole = worker.context
        let part = StressContext(
            scenario: scenario.name, seed: worker.random.next() % 1_000_000_000,
            threadCount: 2 + worker.random.below(max(1, whole.threadCount - 1)), isTorture: whole.isTorture,
            budget: RunBudget(seconds: seconds), monitor: whole.monitor, parent: whole)
        do { try part.perform(scenario) } catch { part.fail("\(error)") }
        var figures = part.figures
        figures.runs = 1
        totals.withLock { $0[scenario.name, default: RunFigures()].add(figures) }
    }

    private static func print(_ totals: [String: RunFigures]) {
        var table = TextTable(columns: ["part", ">runs", ">operations", ">stops", ">p99 pause us", ">longest us"])
        for scenario in allScenarios {
            guard let figures = totals[scenario.name] else { continue }
            table.add([
                scenario.name, "\(figures.runs)", "\(figures.operations)", "\(figures.stops)",
                "\(figures.pauses.worstP99Nanoseconds / 1_000)", "\(figures.pauses.longestNanoseconds / 1_000)",
            ])
        }
        StressOutput.line(table.text)
    }
}
