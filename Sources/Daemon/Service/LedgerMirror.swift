import Ledger
import Systemd
import WorkerProtocol

/// Repeats each ledger entry once where operators read: as its journal record, or as a line on standard error.
struct LedgerMirror: Sendable {
    private let journal: Journal?

    init(journal isConnected: Bool) { journal = isConnected ? Journal() : nil }

    func callAsFunction(_ entry: LedgerEntry) {
        if let journal {
            let twin = JournalRecord(entry)
            journal.send(
                message: twin.message.withVisibleControls(keepingLines: true), priority: twin.priority,
                messageID: twin.messageID,
                fields: twin.fields.map { ($0.name, $0.value) })
            return
        }
        let level =
            switch entry.event.priority {
            case ...3: "error"
            case 4: "warning"
            case 5: "notice"
            default: "info"
            }
        var values = ["event=\(entry.event.rawValue)"]
        if let task = entry.task { values.append("task=\(DaemonLogHandler.quoted(task))") }
        if let version = entry.version { values.append("version=\(version)") }
        if let merge = entry.merge { values.append("merge=\(merge)") }
        DaemonLogHandler.writeLine("\(level) \(entry.message) \(values.joined(separator: " "))")
    }
}
