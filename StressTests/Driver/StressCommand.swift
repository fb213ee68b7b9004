// The driver of the stress suite: runs one scenario, prints first how to run it again, and last what it did.

import ArgumentParser
import CStillpoint

@main
struct StressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stillpoint-stress",
        abstract: "Runs one scenario of the stress suite.",
        discussion: """
            The first line of output is the command that replays the run: the same seed makes the same \
            pseudo-random choices, though the system may schedule the threads otherwise. The last line is \
            for machines. Exit status: 0 no finding, 1 a finding, 64 wrong usage, 66 a report of ThreadSanitizer.

            script/stress runs all scenarios, each in a process of its own.
            """)

    @Argument(help: "The scenario; --list names them.")
    var scenario: String?

    @OptionGroup var options: StressOptions

    @Flag(help: "List the scenarios: name, how a run has to end, summary.")
    var list = false

    func validate() throws {
        if list { return }
        guard let scenario else { throw ValidationError("Which scenario? --list names them.") }
        guard allScenarios.contains(where: { $0.name == scenario }) else {
            throw ValidationError("There is no scenario '\(scenario)'; --list names them.")
        }
    }

    func run() throws {
        guard !list, let scenario = allScenarios.first(where: { $0.name == scenario }) else {
            for scenario in allScenarios { Self.describe(scenario) }
            return
        }
        let seed = options.seed ?? UInt64.random(in: 0..<1_000_000_000)
        let context = StressContext(scenario: scenario.name, options: options, seed: seed)
        StressOutput.line("replay: \(Self.replayCommand(of: scenario.name, options: options, seed: seed))")
        if scenario.expectation == .reported, sp_has_thread_sanitizer() == 0 {
            StressOutput.line("note: this run means nothing, since it is not built with ThreadSanitizer")
        }
        do {
            try context.watch()
            try scenario.run(context)
        } catch {
            context.fail("\(error)")
        }
        StressOutput.line(context.closingLine(findingCount: 0))
    }

    private static func describe(_ scenario: any Scenario.Type) {
        let names = allScenarios.map { $0.name.count }.max() ?? 0
        let columns = [(scenario.name, names), (scenario.expectation.rawValue, 8), (scenario.summary, 0)]
        StressOutput.line(
            columns.map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
                .joined(separator: "  "))
    }

    private static func replayCommand(of scenario: String, options: StressOptions, seed: UInt64) -> String {
        let program = CommandLine.arguments.first ?? "stillpoint-stress"
        let seconds = options.seconds.rounded() == options.seconds
            ? "\(Int(options.seconds))" : "\(options.seconds)"
        return "\(program) \(scenario) --seed \(seed) --seconds \(seconds) "
            + "--threads \(options.threads)\(options.torture ? " --torture" : "")"
    }
}
