/// A refusal or failure since the previous release, as its report shows it.
package struct ReportedEvent: Hashable, Sendable {
    /// ISO 8601 in UTC.
    package var time: String
    /// Who refused, for example `the gate`.
    package var by: String
    /// Nil if it concerns no single task.
    package var task: String?
    package var message: String

    package init(time: String, by: String, task: String? = nil, message: String) {
        self.time = time
        self.by = by
        self.task = task
        self.message = message
    }
}
