// A scenario: one protocol under load, judged by what must hold whatever the threads do.
//
// To add one: a file in StressTests/Scenarios with a type that conforms, and a line in ScenarioList.swift. It keeps
// nothing in globals, because `mixed` runs several scenarios, and several runs of one, in one process.

/// How a run of a scenario has to end.
enum Expectation: String {
    /// Without a finding, and without a report of a sanitizer.
    case passes
    /// With a finding: it shows that findings are seen.
    case fails
    /// With a report of ThreadSanitizer. Without that sanitizer it means nothing, and is skipped.
    case reported
    /// With a report of a leak, under AddressSanitizer or valgrind. Elsewhere it means nothing, and is skipped.
    case leaks
    /// Without a finding, but script/soak has to call it growth. Other runs of it mean nothing.
    case grows
}

/// When a smoke run ends: after so many operations or so many seconds, whichever is first. The operations are about a
/// second's on one processor; under a sanitizer the seconds end it.
struct SmokeBudget {
    let operations: Int
    var seconds = 2.0
}

/// One program of the stress suite. `script/stress` runs it in a process of its own.
protocol Scenario: SendableMetatype {
    /// As the command line has it: words of lower case joined by hyphens.
    static var name: String { get }
    /// One line for `--list`.
    static var summary: String { get }
    static var expectation: Expectation { get }
    /// How often `mixed` draws it, beside the others' weights. 0: never.
    static var weight: Int { get }
    static var smoke: SmokeBudget { get }

    /// Runs until `context` says that it is over, checks what must hold, and gives everything back.
    static func run(_ context: StressContext) throws
}

extension Scenario {
    static var expectation: Expectation { .passes }
    static var weight: Int { expectation == .passes ? 2 : 0 }
}
