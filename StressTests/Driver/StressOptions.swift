// What the command line says about a run.

import ArgumentParser

struct StressOptions: ParsableArguments {
    @Option(help: "Where all pseudo-random choices start; one is made up and printed if none is given.")
    var seed: UInt64?

    @Option(help: "How long the scenario runs.")
    var seconds: Double = 10

    @Option(help: "How many threads it has.")
    var threads: Int = 4

    @Flag(help: "Make rare paths common: more yields, shorter intervals, smaller tables.")
    var torture = false

    func validate() throws {
        guard seconds > 0, seconds <= 86_400 else {
            throw ValidationError("--seconds is a number above 0, and at most 86400.")
        }
        guard (1...1_000).contains(threads) else {
            throw ValidationError("--threads is a number from 1 to 1000.")
        }
    }
}
