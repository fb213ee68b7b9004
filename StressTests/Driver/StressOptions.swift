// What the command line says about a run, and the command line that says the same again.

import ArgumentParser
import Foundation

struct StressOptions: ParsableArguments {
    @Option(help: "Where all pseudo-random choices start; one is made up and printed if none is given.")
    var seed: UInt64?

    @Option(help: "How many threads the scenario has, from 1 to 1000.")
    var threads: Int = 4

    @Flag(help: "Make rare paths common: more yields and stops, shorter intervals, pages of few blocks.")
    var torture = false

    func validate() throws {
        guard (1...1_000).contains(threads) else {
            throw ValidationError("--threads is a number from 1 to 1000, not \(threads).")
        }
    }

    /// - Parameter seed: the one that the run has.
    func arguments(seed: UInt64) -> String {
        "--seed \(seed) --threads \(threads)\(torture ? " --torture" : "")"
    }
}

/// When the run ends: by the clock, by a number of operations, or by the scenario's own budget.
struct BudgetOptions: ParsableArguments {
    static let defaultSeconds = 10.0

    @Option(help: "End after so many seconds (\(Int(Self.defaultSeconds)), unless --operations is given).")
    var seconds: Double?

    @Option(help: "End after so many operations, or a little later.")
    var operations: Int?

    @Flag(help: "End by the scenario's smoke budget, which --list shows.")
    var smoke = false

    func validate() throws {
        if let seconds, !(seconds > 0 && seconds <= 86_400) {
            throw ValidationError("--seconds is a number above 0, at most 86400 (a day), not \(seconds).")
        }
        if let operations, operations < 1 {
            throw ValidationError("--operations is a whole number above 0, not \(operations).")
        }
        guard !smoke || seconds == nil && operations == nil else {
            throw ValidationError("--smoke is a budget by itself: give no --seconds or --operations with it.")
        }
    }

    func budget(for scenario: any Scenario.Type) -> RunBudget {
        if smoke { return RunBudget(seconds: scenario.smoke.seconds, operations: scenario.smoke.operations) }
        let limit = operations == nil ? Self.defaultSeconds : 86_400
        return RunBudget(seconds: seconds ?? limit, operations: operations)
    }

    var arguments: String {
        if smoke { return "--smoke" }
        var words: [String] = []
        if let operations { words.append("--operations \(operations)") }
        if let seconds { words.append("--seconds \(Self.text(seconds))") }
        return words.isEmpty ? "--seconds \(Self.text(Self.defaultSeconds))" : words.joined(separator: " ")
    }

    static func text(_ number: Double) -> String {
        number.rounded() == number ? "\(Int(number))" : "\(number)"
    }
}
