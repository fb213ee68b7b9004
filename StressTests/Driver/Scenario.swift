// A scenario: one protocol under load, judged by what must hold whatever the threads do.
//
// To add one: a file in StressTests/Scenarios with a type that conforms, and a line in ScenarioList.swift.

/// How a run of a scenario has to end.
enum Expectation: String {
    /// Without a finding, and without a report of a sanitizer.
    case passes
    /// With a finding: it shows that findings are seen.
    case fails
    /// With a report of ThreadSanitizer. Without that sanitizer it means nothing, and is skipped.
    case reported
}

/// One program of the stress suite. It runs in a process of its own.
protocol Scenario: SendableMetatype {
    /// As the command line has it: words of lower case joined by hyphens.
    static var name: String { get }
    /// One line for `--list`.
    static var summary: String { get }
    static var expectation: Expectation { get }

    /// Runs until `context` says that time is over, checks what must hold, and gives everything back.
    static func run(_ context: StressContext) throws
}

extension Scenario {
    static var expectation: Expectation { .passes }
}
