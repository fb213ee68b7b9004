// The driver of the stress suite: runs one scenario, prints first how to run it again, and last what it did.

import ArgumentParser
import CStillpoint

@main
struct StressCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stillpoint-stress",
        abstract: "Runs one scenario of the stress suite.",
        discussion: """
            script/stress runs all scenarios, each in a process of its own; script/soak one for long.
            """,
        subcommands: [RunCommand.self, SoakCommand.self],
        defaultSubcommand: RunCommand.self)
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one scenario (the default).",
        discussion: """
            The first line of output is the command that replays the run: the same seed makes the same \
            pseudo-random choices, though the system may schedule the threads otherwise. The last line is \
            for machines. Exit status: 0 no finding, 1 a finding, 64 wrong usage, 66 a report of ThreadSanitizer.
            """)

    @Argument(help: "The scenario; --list names them.")
    var scenario: String?

    @OptionGroup var options: StressOptions
    @OptionGroup var budget: BudgetOptions

    @Flag(help: "List the scenarios: name, how a run has to end, weight in mixed, smoke budget, what it is about.")
    var list = false

    func validate() throws {
        if !list { _ = try Self.scenario(named: scenario) }
    }

    static func scenario(named name: String?) throws -> any Scenario.Type {
        guard let name else { throw ValidationError("Which scenario? --list names them.") }
        guard let scenario = allScenarios.first(where: { $0.name == name }) else {
            throw ValidationError("There is no scenario '\(name)'; --list names them.")
        }
        return scenario
    }

    func run() throws {
        if list { return StressOutput.line(Self.table) }
        let scenario = try Self.scenario(named: scenario)
        let seed = options.seed ?? UInt64.random(in: 0..<1_000_000_000)
        let program = CommandLine.arguments.first ?? "stillpoint-stress"
        StressOutput.line(
            "replay: \(program) \(scenario.name) \(options.arguments(seed: seed)) \(budget.arguments)")
        if let note = Self.note(on: scenario) { StressOutput.line("note: this run means nothing: \(note)") }
        let monitor = Monitor()
        let context = StressContext(
            scenario: scenario.name, seed: seed, threadCount: options.threads, isTorture: options.torture,
            budget: budget.budget(for: scenario), monitor: monitor)
        Torture.set(options.torture)
        do {
            try monitor.start()
            try context.perform(scenario)
        } catch {
            context.fail("\(error)")
        }
        StressOutput.line(context.closingLine(findingCount: 0))
    }

    private static func note(on scenario: any Scenario.Type) -> String? {
        switch scenario.expectation {
        case .passes, .fails: nil
        case .reported: sp_has_thread_sanitizer() == 0 ? "it is not built with ThreadSanitizer" : nil
        case .leaks: sp_has_address_sanitizer() == 0 ? "it is not built with AddressSanitizer" : nil
        case .grows: "script/soak --scenario \(scenario.name) judges it"
        }
    }

    static var table: String {
        var table = TextTable(columns: ["scenario", "ends", ">weight", ">operations", ">seconds", "what it is about"])
        for scenario in allScenarios {
            table.add([
                scenario.name, scenario.expectation.rawValue, "\(scenario.weight)",
                "\(scenario.smoke.operations)", BudgetOptions.text(scenario.smoke.seconds), scenario.summary,
            ])
        }
        return table.text
    }
}

extension StressContext {
    /// Runs `scenario` as this run, under the monitor's eyes.
    func perform(_ scenario: any Scenario.Type) throws {
        monitor.begin(self)
        defer { monitor.end(self) }
        try scenario.run(self)
    }
}
