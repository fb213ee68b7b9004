// The models' program. `script/models` builds and runs it.

import ArgumentParser

#if ModelCheck
import StillpointModel

@main
struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "script/models", abstract: "Models of the protocols, explored on the model checker.",
        subcommands: [RunCommand.self, ListCommand.self, ReplayCommand.self, MutantsCommand.self],
        defaultSubcommand: RunCommand.self)
}

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Names the models, and says what each shows.")

    func run() {
        for model in allModels { print("\(model.name)\n    \(model.about)") }
    }
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Explores models, and says how much of each was covered.")

    @Option(help: ArgumentHelp("Only models whose name contains this text.", valueName: "text"))
    var filter = ""

    @Flag(help: "Explores deeper: minutes a model instead of seconds.")
    var long = false

    @Option(help: ArgumentHelp("Leaves an exploration after so many seconds.", valueName: "seconds"))
    var limit: Double?

    func validate() throws {
        if !filter.isEmpty, !allModels.contains(where: { $0.name.contains(filter) }) {
            throw ValidationError("No model's name contains '\(filter)'. `script/models list` names them.")
        }
    }

    func run() throws {
        for name in mustShow.keys where !allModels.contains(where: { $0.name == name }) {
            throw ValidationError("Outcomes are asked of '\(name)', and there is no such model.")
        }
        var passed = 0, failed = 0
        for model in allModels where filter.isEmpty || model.name.contains(filter) {
            var hasFailed = false
            var missing = model.mustShow
            for strategy in model.strategies(long ? .long : .smoke) {
                let report = model.explore(strategy, timeLimitSeconds: limit)
                print(model.describe(report))
                missing.subtract(report.outcomes.keys)
                hasFailed = !model.isRight(report)
                if hasFailed {
                    if let failure = report.failure {
                        print("  again: script/models replay '\(model.name)' \(failure.token)")
                    }
                    break
                }
            }
            if !hasFailed, !missing.isEmpty {
                print("\(model.name): no run came to: \(missing.sorted().joined(separator: ", "))")
                hasFailed = true
            }
            if hasFailed { failed += 1 } else { passed += 1 }
        }
        print("\(passed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode.failure }
    }
}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Runs the schedule of a token again, and prints it.")

    @Argument(help: "The model's name.")
    var model: String

    @Argument(help: "The token that the failure printed.")
    var token: String

    @Option(help: ArgumentHelp("The mutant, as the failure printed it.", valueName: "mutant"))
    var mutant: String?

    func run() throws {
        guard let chosen = allModels.first(where: { $0.name == model }) else {
            throw ValidationError("There is no model '\(model)'. `script/models list` names them.")
        }
        let report = chosen.explore(
            .replay(token), mutant: try mutant.map { try MutantCatalog(models: [chosen]).mutant(named: $0) })
        print(report)
        if report.failure != nil { throw ExitCode.failure }
    }
}
#else
@main
struct ModelsCommand: ParsableCommand {
    func run() throws {
        throw ValidationError("Built without the trait ModelCheck. `script/models` builds it right.")
    }
}
#endif
