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
    /// Candidates that were not deployed since.
    package private(set) var undeployed: Set<Int> = []
    /// The release that the ledger has on trial as the candidate.
    package private(set) var candidate: Int?
    /// The last word on the candidate, for people.
    package private(set) var candidateWord: String?
    /// What became deployed, in order.
    package private(set) var deployments: [Deployment] = []

    package init() {}

    /// Throws `LedgerError` where the ledger can't be read.
    package init(ledger: String) throws(LedgerError) {
        self = try Ledger.replay(path: ledger, into: RecordedReleases()) { $0.take($1.content, time: $1.time) }
    }

    /// Takes one event in; `time`: when its entry was written, where it comes from the ledger.
    package mutating func take(_ event: LedgerEvent, time: String? = nil) {
        takeCandidate(event)
        switch event.kind {
        case .canaryStarted:
            guard let version = event.version else { return }
            newest = max(version, newest ?? version)
            standing.insert(version)
            undeployed.insert(version)
            digests[version] = event.details["digest"]?.text
            times[version] = time
        case .promoted where event.version == deployed: return
        case .published, .rolledBack, .recovered, .promoted:
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
            undeployed.remove(version)
            let source = event.details["source"]?.integer
            deployments.append(
                Deployment(
                    version: version, source: source,
                    isSourceKnown: source != nil || event.kind == .published || event.kind == .promoted))
            // What was found under `current` does not outweigh what was once published.
            if event.kind != .recovered || digests[version] == nil { digests[version] = event.details["digest"]?.text }
            if event.kind != .recovered || times[version] == nil { times[version] = time }
        case .retired:
            if let version = event.version { standing.remove(version) }
        default: return
        }
    }

    private mutating func takeCandidate(_ event: LedgerEvent) {
        switch event.kind {
        case .canaryStarted: candidate = event.version
        case .promoted, .rejected:
            guard candidate == event.version else { return }
            candidate = nil
        default: return
        }
        candidateWord = event.message
    }
}
