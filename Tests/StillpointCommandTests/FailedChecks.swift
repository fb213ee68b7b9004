@testable import StillpointCommand

extension IndexReport {
    /// What a session's own checks found wrong, one line each.
    var failedChecks: [String] {
        checks.filter { $0.isPassed == false }.map { "\($0.name): \($0.detail)" }
    }

    /// Those that could not be made.
    var checksNotMade: [String] { checks.filter { $0.isPassed == nil }.map(\.name) }
}
