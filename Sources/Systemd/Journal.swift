/// Structured messages to journald.
package struct Journal: Sendable {
    /// Whether standard error is connected to the journal (`JOURNAL_STREAM`).
    package static var isConnected: Bool { false }
    package init() {}
    /// `priority` as syslog's 0…7. Field names are upper case; values may hold any bytes.
    package func send(message: String, priority: Int, messageID: String? = nil, fields: [(String, String)] = []) {}
}
