import Foundation
import Glibc
package import Logging
import Systemd
import WorkerProtocol

/// Log messages for people: one line each on standard error, or journald's fields where standard error is the journal.
package struct DaemonLogHandler: LogHandler {
    package var logLevel: Logger.Level = .info
    package var metadata: Logger.Metadata = [:]
    private let journal: Journal?

    package init(journal isConnected: Bool) { journal = isConnected ? Journal() : nil }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
        let text = values.reduce("\(event.message)") { line, value in
            line + " \(value.key)=\(Self.quoted("\(value.value)"))"
        }
        if let journal {
            journal.send(message: text.withVisibleControls(keepingLines: true), priority: Self.priority(event.level))
        } else {
            Self.writeLine("\(event.level) \(text)")
        }
    }

    /// One line on standard error with the time before it.
    static func writeLine(_ text: String) {
        let time = Date().formatted(.iso8601)
        let text = text.map { $0.isNewline ? " " : $0 }.reduce(into: "") { $0.append($1) }
        let line = "\(time) \(text.withVisibleControls())\n"
        unsafe line.utf8CString.withUnsafeBytes { bytes in
            _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count - 1)
        }
    }

    static func quoted(_ value: String) -> String {
        value.contains { $0 == " " || $0 == "\"" } || value.isEmpty
            ? "\"\(value.replacing("\"", with: "'"))\"" : value
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
