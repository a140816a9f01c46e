import Files
import Ledger

/// What the ledger says of the releases.
struct RecordedReleases {
    /// Its last word on what is deployed.
    private(set) var last: LedgerEntry?
    /// Number → digest, for those whose entry has one.
    private(set) var digests: [Int: String] = [:]
    /// Numbers of those that were published and not deleted since.
    private(set) var standing: Set<Int> = []

    private init() {}

    /// Throws `LedgerError` where the ledger can't be read.
    init(ledger: String) throws {
        self = try Ledger.replay(path: ledger, into: RecordedReleases()) { $0.take($1) }
    }

    private mutating func take(_ entry: LedgerEntry) {
        switch entry.event {
        case .published, .rolledBack, .recovered:
            last = entry
            guard let version = entry.version else {
                // Nothing stood any more, and the numbers may begin anew.
                (digests, standing) = ([:], [])
                return
            }
            standing.insert(version)
            let digest = entry.details["digest"]?.text
            // What was found under `current` does not outweigh what was once published.
            if entry.event != .recovered || digests[version] == nil { digests[version] = digest }
        case .retired:
            if let version = entry.version { standing.remove(version) }
        default: return
        }
    }
}
