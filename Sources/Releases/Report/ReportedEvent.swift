/// Something that was refused or failed on the way to a release, as its report tells it.
package struct ReportedEvent: Hashable, Sendable {
    /// ISO 8601 in UTC.
    package var time: String
    /// Who refused, for example `the gate`.
    package var by: String
    /// Nil where it was no single task.
    package var task: String?
    package var message: String

    package init(time: String, by: String, task: String? = nil, message: String) {
        self.time = time
        self.by = by
        self.task = task
        self.message = message
    }
}
