// The program: chooses benchmarks, runs them one after another, prints what they found.

import ArgumentParser
import StillpointPlatform

@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stillpoint-bench",
        abstract: "Measures Stillpoint against its peers, in turns in one run, and states ratios.",
        discussion: """
            No figure is judged by itself: a bound is a ratio to the peer's figure of the same run. \
            A bound that is missed does not change the exit status. What each benchmark does: docs/benchmarks.md.
            """)

    @Argument(help: ArgumentHelp("Benchmarks to run; all if none is named.", valueName: "name"))
    var names: [String] = []

    @Flag(help: "List the benchmarks and end.")
    var list = false

    @Option(help: "Rounds: each measures ours, then the peer. 9 at least.")
    var rounds = 15

    @Flag(help: "Print one JSON document instead of a table.")
    var json = false

    func validate() throws {
        guard (Round.leastCount...Round.mostCount).contains(rounds) else {
            throw ValidationError(
                "--rounds is \(rounds); it may be \(Round.leastCount) to \(Round.mostCount)")
        }
        let known = Set(benchmarks.map(\.name))
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw ValidationError(
                "no benchmark is named \(unknown); there are \(benchmarks.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
        if list {
            let width = benchmarks.map(\.name.count).max() ?? 0
            for benchmark in benchmarks {
                print(benchmark.name.padded(to: width), " ", benchmark.summary)
            }
            return
        }
        let chosen = benchmarks.filter { names.isEmpty || names.contains($0.name) }
        var report = Report(machine: .current(), rounds: rounds, benchmarks: [])
        if !json { print(report.head) }
        for benchmark in chosen {
            let outcome = Report.Benchmark(
                name: benchmark.name, command: benchmark.command(rounds: rounds),
                rows: try benchmark.run(rounds))
            report.benchmarks.append(outcome)
            if !json { print(outcome.text) }
        }
        report.machine.end()
        print(json ? try report.json() : report.foot)
    }
}

/// One benchmark: what `--list` says of it, and what it does.
struct Benchmark: Sendable {
    let name: String
    let summary: String
    /// Runs that many rounds, and says what came out.
    let run: @Sendable (_ rounds: Int) throws -> [Row]

    func command(rounds: Int) -> String { "script/bench \(name) --rounds \(rounds)" }
}

/// All benchmarks, in the order in which they run.
let benchmarks: [Benchmark] = [
    Benchmark(
        name: "poll", summary: "allocate and free 48 bytes, with a safepoint poll and without",
        run: PollBenchmark.run),
    Benchmark(
        name: "attach", summary: "detach and attach, against liburcu's offline and online",
        run: AttachBenchmark.run),
    Benchmark(
        name: "mutex", summary: "lock and unlock, alone and contended, against Swift's Mutex",
        run: MutexBenchmark.run),
    Benchmark(
        name: "time-to-safepoint",
        summary: "request to stopped, against half a futex round trip; and with 1,000 detached threads",
        run: TimeToSafepointBenchmark.run),
    Benchmark(
        name: "stop-while-detaching",
        summary: "request to stopped while threads detach and attach, against a rescan every millisecond",
        run: DetachingBenchmark.run),
    Benchmark(
        name: "thread", summary: "a thread made, attached, ended, against pthread_create and pthread_join",
        run: ThreadBenchmark.run),
    Benchmark(
        name: "isolation", summary: "what a thread loses while another interpreter is stopped",
        run: IsolationBenchmark.run),
    Benchmark(
        name: "fairness", summary: "what 8 threads get done while 2 others stop the world in a loop",
        run: FairnessBenchmark.run),
]
