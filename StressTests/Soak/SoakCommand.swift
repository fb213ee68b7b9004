// The long form: one scenario, as a rule `mixed`, for minutes or hours; a report each minute, and at the end whether
// anything grew.

import ArgumentParser
import CStillpoint
import Foundation
import Glibc
import StillpointPlatform

struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Runs one scenario for long, and judges whether anything grows.",
        discussion: """
            The first line of output is the command that replays the run. Exit status: 0 nothing grew, \
            1 something did or there was a finding, 64 wrong usage, 66 a report of ThreadSanitizer.
            """)

    @Option(help: "How long it runs.")
    var minutes: Double = 10

    @Option(help: "What it runs; stillpoint-stress --list names the scenarios.")
    var scenario = MixedScenario.name

    @Option(help: "Write JSON, a line a minute and one at the end, to this file, or into this folder.")
    var report: String?

    @OptionGroup var options: StressOptions

    func validate() throws {
        guard minutes >= 0.1, minutes <= 10_080 else {
            throw ValidationError("--minutes is a number from 0.1 to 10080 (a week), not \(minutes).")
        }
        _ = try RunCommand.scenario(named: scenario)
    }

    func run() throws {
        let seed = options.seed ?? UInt64.random(in: 0..<1_000_000_000)
        let replay = ProcessInfo.processInfo.environment["STRESS_REPLAY"]
            ?? "\(CommandLine.arguments.first ?? "stillpoint-stress") soak"
        StressOutput.line("replay: \(replay) --scenario \(scenario) --minutes \(BudgetOptions.text(minutes)) "
            + options.arguments(seed: seed))
        let file = try report.map { path in
            do { return try SoakReportFile(path: path, seed: seed) } catch {
                throw ValidationError("The report '\(path)' cannot be written: \(error.localizedDescription)")
            }
        }
        let monitor = Monitor()
        let type = try RunCommand.scenario(named: scenario)
        let context = StressContext(
            scenario: type.name, seed: seed, threadCount: options.threads, isTorture: options.torture,
            budget: RunBudget(seconds: minutes * 60), monitor: monitor)
        Torture.set(options.torture)
        let watch = SoakWatch(context, file)
        do {
            try monitor.start()
            let watching = try watch.start()
            try context.perform(type)
            watching.join()
        } catch {
            context.fail("\(error)")
        }
        let hasGrown = try watch.judge()
        StressOutput.line(context.closingLine(findingCount: hasGrown ? 1 : 0))
        if hasGrown { throw ExitCode(1) }
    }
}

/// No verdict is no good verdict.
struct SoakTooShort: Error, CustomStringConvertible {
    let sampleCount: Int
    var description: String { "soak: \(sampleCount) samples are too few for a verdict on growth: run it longer" }
}

/// Takes samples while the scenario runs, on a thread of its own.
final class SoakWatch: @unchecked Sendable {
    private let context: StressContext
    private let file: SoakReportFile?
    private let began = MonotonicClock.nanoseconds()
    /// Written by the watching thread, read when it is joined.
    private var samples: [SoakSample] = []
    private var reported = RunFigures()
    private var reportedAtSeconds = 0.0

    init(_ context: StressContext, _ file: SoakReportFile?) {
        self.context = context
        self.file = file
    }

    private var seconds: Double { Double(MonotonicClock.nanoseconds() - began) / 1e9 }

    func start() throws -> SystemThread {
        try SystemThread.start(name: "soak", argument: Unmanaged.passRetained(self).toOpaque()) {
            let watch = Unmanaged<SoakWatch>.fromOpaque($0!).takeRetainedValue()
            do { try watch.watch() } catch { watch.context.fail("the report: \(error)") }
        }
    }

    private func watch() throws {
        // 240 at least; every second in a long run.
        let interval = min(1, context.budget.seconds / 240)
        StressOutput.line(SoakMinute.header)
        while !context.isOver {
            samples.append(try SoakSample.now(asking: context.monitor))
            if seconds - reportedAtSeconds >= 60 { try reportMinute(samples.last!) }
            SystemThread.sleep(untilNanoseconds: began + UInt64(Double(samples.count) * interval * 1e9))
        }
        if seconds - reportedAtSeconds >= 5, let last = samples.last { try reportMinute(last) }
    }

    private func reportMinute(_ sample: SoakSample) throws {
        let figures = context.figures
        let pauses = context.tally.takePauses()
        let now = seconds
        let minute = SoakMinute(
            kind: "minute", atSeconds: now,
            operationsASecond: Double(figures.operations - reported.operations) / (now - reportedAtSeconds),
            stops: figures.stops - reported.stops, pauses: pauses.count,
            worstP99PauseNanoseconds: pauses.worstP99Nanoseconds,
            longestPauseNanoseconds: pauses.longestNanoseconds, sample: sample)
        StressOutput.line(minute.text)
        try file?.write(minute)
        reported = figures
        reportedAtSeconds = now
    }

    // MARK: The end

    /// Prints the verdict on each gauge; whether one has grown.
    func judge() throws -> Bool {
        var verdicts: [String: GrowthVerdict] = [:]
        var table = TextTable(columns: ["figure", ">first", ">last", ">rise", ">standard error", ">allowed", "verdict"])
        for gauge in Gauge.all {
            let values = samples.map(gauge.value)
            guard let verdict = GrowthRule.verdict(on: values, allowance: gauge.allowance) else {
                throw SoakTooShort(sampleCount: values.count)
            }
            if gauge.isJudged { verdicts[gauge.name] = verdict }
            table.add([
                gauge.name, "\(Int(values.first!))", "\(Int(values.last!))", "\(Int(verdict.rise))",
                "\(Int(verdict.standardError))", "\(Int(verdict.allowance))",
                !gauge.isJudged ? "the sanitizer's own memory: not judged" : verdict.hasGrown ? "GROWN" : "steady",
            ])
        }
        let grown = verdicts.filter(\.value.hasGrown).map(\.key).sorted()
        StressOutput.line("""

            \(table.text)

            The rule: the first quarter is warm-up; a line is fitted to the medians of 12 stretches of the rest. \
            A figure has grown
            if the line rises by more than is allowed and by more than 3 standard errors.
            \(samples.count) samples, \(Int(seconds)) s. \
            \(grown.isEmpty ? "Nothing has grown." : "GROWN: " + grown.joined(separator: ", ") + ".")
            """)
        try file?.write(SoakVerdict(
                kind: "verdict", seed: context.seed, seconds: seconds, sampleCount: samples.count,
                gauges: verdicts, grown: grown))
        return !grown.isEmpty
    }
}
