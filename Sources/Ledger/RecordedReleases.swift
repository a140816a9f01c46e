import Files

/// What the ledger says of the releases: its events, taken in order.
package struct RecordedReleases: Hashable, Sendable {
    /// That a release became what is deployed.
    package struct Deployment: Hashable, Sendable {
        package var version: Int
        /// The release whose content it repeats, where it is a rollback and its entry says so.
        package var source: Int?
        /// Whether the entry would say so: a publication is no rollback.
        package var isSourceKnown = false
    }

    /// The release that the last word on what is deployed names; nil where nothing was deployed.
    package private(set) var deployed: Int?
    /// The last word on what is deployed, for people.
    package private(set) var word: String?
    /// The highest number.
    package private(set) var newest: Int?
    /// Number → digest, for those whose entry has one.
    package private(set) var digests: [Int: String] = [:]
    /// Number → when its entry was written, ISO 8601 in UTC; for those whose entry was replayed.
    package private(set) var times: [Int: String] = [:]
    /// Numbers of those that were published and not deleted since.
    package private(set) var standing: Set<Int> = []
    /// What became deployed, in order.
    package private(set) var deployments: [Deployment] = []

    package init() {}

    /// Throws `LedgerError` where the ledger can't be read.
    package init(ledger: String) throws(LedgerError) {
        self = try Ledger.replay(path: ledger, into: RecordedReleases()) { $0.take($1.content, time: $1.time) }
    }

    /// Takes one event in; `time`: when its entry was written, where it comes from the ledger.
    package mutating func take(_ event: LedgerEvent, time: String? = nil) {
        switch event.kind {
        case .published, .rolledBack, .recovered:
            guard let version = event.version else {
                // Where nothing was found under `current`, nothing stands any more, and the numbers may begin anew.
                guard event.kind == .recovered else { return }
                self = RecordedReleases()
                word = event.message
                return
            }
            word = event.message
            deployed = version
            newest = max(version, newest ?? version)
            standing.insert(version)
            let source = event.details["source"]?.integer
            deployments.append(
                Deployment(
                    version: version, source: source, isSourceKnown: source != nil || event.kind == .published))
            // What was found under `current` does not outweigh what was once published.
            if event.kind != .recovered || digests[version] == nil { digests[version] = event.details["digest"]?.text }
            if event.kind != .recovered || times[version] == nil { times[version] = time }
        case .retired:
            if let version = event.version { standing.remove(version) }
        default: return
        }
    }
}
