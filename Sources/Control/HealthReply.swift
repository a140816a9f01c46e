/// What `GET /health` answers, with status 200 where nothing is wrong that keeps releases from being made, else 503.
package struct HealthReply: Codable, Hashable, Sendable {
    package struct Problem: Codable, Hashable, Sendable {
        package enum Severity: String, Codable, Sendable {
            /// Nothing can be released, or nobody can vouch for what is, until somebody does something.
            case error
            /// Something was left out or held back; the rest goes on.
            case warning
        }

        /// One of `HealthReply.codes`.
        package var code: String
        package var severity: Severity
        package var task: String?
        /// What is wrong and what to do.
        package var message: String

        package init(_ code: String, _ severity: Severity, task: String? = nil, message: String) {
            self.code = code
            self.severity = severity
            self.task = task
            self.message = message
        }
    }

    package static let codes = [
        "registry-unreadable", "ledger-unwritable", "ledger-doubtful", "no-base", "merge-failing", "blocked", "waiting",
        "look-slow", "registry-unwatched", "all-tasks-gone", "paused", "held", "merge-refused", "task-refused",
        "task-set-aside", "hook-failed", "check-failing", "check-silent", "timestamp-failing", "stray",
    ]

    /// Whether there is no problem of severity `error`.
    package var isHealthy: Bool
    package var problems: [Problem]

    package init(problems: [Problem]) {
        self.problems = problems
        isHealthy = !problems.contains { $0.severity == .error }
    }
}
