import Ledger
import Releases

extension Reconciler {
    /// Entries that are looked through for those since the last release, and the newest of them that a report has.
    private static let mostEntries = 512
    private static let mostReported = 100

    /// What was refused or failed since the last release, for the report of the next; nil where the ledger can't be
    /// read.
    func refusedSinceRelease() async -> [ReportedEvent]? {
        guard let entries = try? await parts.ledger.entries(last: Self.mostEntries) else { return nil }
        return Self.refusals(entries)
    }

    static func refusals(_ entries: [LedgerEntry]) -> [ReportedEvent] {
        let release = entries.lastIndex { [.published, .rolledBack, .promoted].contains($0.event) }
        var events: [ReportedEvent] = []
        for entry in entries[(release.map { $0 + 1 } ?? 0)...] {
            let by: String
            switch entry.event {
            case .refused: by = entry.details["source"]?.text == "worker" ? "the merge" : "admission"
            case .gated: by = "the gate"
            case .rejected: by = "the rollout"
            case .mergeFailed: by = "a failure"
            default: continue
            }
            let event = ReportedEvent(time: entry.time, by: by, task: entry.task, message: entry.message)
            // What fails is tried again, and says the same each time.
            let isRepeated =
                events.last.map { ($0.by, $0.task, $0.message) == (event.by, event.task, event.message) } ?? false
            if !isRepeated { events.append(event) }
        }
        return Array(events.suffix(mostReported))
    }
}
