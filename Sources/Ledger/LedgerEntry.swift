package import Files

/// One line of `ledger.jsonl`.
package struct LedgerEntry: Codable, Hashable, Sendable {
    /// 0, 1, 2 …
    package var sequence: Int
    /// ISO 8601 in UTC with milliseconds.
    package var time: String
    package var event: LedgerEvent.Kind
    package var task: String?
    package var version: Int?
    /// Name of the merge.
    package var merge: String?
    /// One sentence for people.
    package var message: String
    /// Figures of the event, by name.
    package var details: [String: JSONValue]
    /// SHA-256 of the line before it (without its line break); 64 zeros in the first.
    package var previous: String

    /// The event at its place in the chain.
    package init(_ event: LedgerEvent, sequence: Int, time: String, previous: String) {
        self.sequence = sequence
        self.time = time
        self.event = event.kind
        task = event.task
        version = event.version
        merge = event.merge
        message = event.message
        details = event.details
        self.previous = previous
    }

    /// The entry without its place in the chain.
    package var content: LedgerEvent {
        LedgerEvent(event, task: task, version: version, merge: merge, message: message, details: details)
    }
}
