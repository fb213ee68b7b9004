@testable import StillpointCommand

extension IndexReport {
    /// What a session's own checks found wrong, one line each.
    var failedChecks: [String] {
        checks.filter { !$0.isPassed }.map { "\($0.name): \($0.detail)" }
    }
}
