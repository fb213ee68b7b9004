import ArgumentParser
import Testing

@testable import StillpointStress

/// What the stress program's command line takes, and what it says to what it does not take.
@Suite struct StressCommandTests {
    @Test func `a scenario runs with or without the word run`() throws {
        for words in [["mutex"], ["run", "mutex"]] {
            let command = try #require(try StressCommand.parseAsRoot(words + ["--seed", "7"]) as? RunCommand)
            #expect(command.scenario == "mutex")
            #expect(command.options.seed == 7)
        }
    }

    @Test(arguments: [
        (["nothing"], "There is no scenario 'nothing'; --list names them."),
        ([], "Which scenario? --list names them."),
        (["mutex", "--seconds", "0"], "--seconds is a number above 0, at most 86400 (a day), not 0.0."),
        (["mutex", "--operations", "0"], "--operations is a whole number above 0, not 0."),
        (["mutex", "--threads", "1001"], "--threads is a number from 1 to 1000, not 1001."),
        (["mutex", "--smoke", "--seconds", "3"],
            "--smoke is a budget by itself: give no --seconds or --operations with it."),
        (["soak", "--minutes", "0"], "--minutes is a number from 0.1 to 10080 (a week), not 0.0."),
        (["soak", "--scenario", "x"], "There is no scenario 'x'; --list names them."),
    ])
    func `wrong usage is told in words, with exit code 64`(words: [String], message: String) throws {
        do {
            _ = try StressCommand.parseAsRoot(words)
            Issue.record("taken: \(words)")
        } catch {
            #expect(StressCommand.message(for: error) == message)
            #expect(StressCommand.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func `a budget is said again as it was given`() throws {
        for words in [["--smoke"], ["--seconds", "2.5"], ["--operations", "9", "--seconds", "3"]] {
            let command = try #require(try StressCommand.parseAsRoot(["mutex"] + words) as? RunCommand)
            #expect(command.budget.arguments == words.joined(separator: " "))
        }
        let command = try #require(try StressCommand.parseAsRoot(["mutex"]) as? RunCommand)
        #expect(command.budget.arguments == "--seconds 10")
    }

    @Test func `every scenario has a name and a line of its own, and a budget that fits a smoke run`() {
        #expect(Set(allScenarios.map { $0.name }).count == allScenarios.count)
        for scenario in allScenarios {
            #expect(scenario.name.allSatisfy { $0.isLowercase || $0 == "-" })
            #expect(!scenario.summary.isEmpty)
            #expect(scenario.smoke.operations > 0 && scenario.smoke.seconds > 0 && scenario.smoke.seconds <= 4)
            #expect(scenario.weight == 0 || scenario.expectation == .passes)
        }
    }

    @Test func `a made-up seed draws the same numbers again`() {
        var first = SplitMix64(seed: 5, part: 2), second = SplitMix64(seed: 5, part: 2)
        #expect((0..<100).allSatisfy { _ in first.next() == second.next() })
    }
}
