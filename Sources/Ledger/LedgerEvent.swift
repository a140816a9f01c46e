package import Files

/// What happened, before it has a place in the chain.
package struct LedgerEvent: Hashable, Sendable {
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case started, stopped
        case configurationLoaded = "configuration-loaded"
        case configurationRejected = "configuration-rejected"
        case scanned, accepted, refused, removed
        case mergeStarted = "merge-started"
        case mergeProgress = "merge-progress"
        case mergeFailed = "merge-failed"
        case mergeCancelled = "merge-cancelled"
        case gated
        case published
        /// A folder was put into the registry by `submit`, or taken out by `withdraw`.
        case submitted, withdrawn
        /// A release stands as the candidate, and `current` is as it was.
        case canaryStarted = "canary-started"
        case promoted, rejected
        /// The check of a rollout said no.
        case checkFailed = "check-failed"
        case rolledBack = "rolled-back"
        case retired
        /// At a start, what is deployed was not what the ledger's last word on it says.
        case recovered
        case hook
        case hookFailed = "hook-failed"
        case operatorAction = "operator-action"
    }

    package var kind: Kind
    package var task: String?
    package var version: Int?
    /// Name of the merge.
    package var merge: String?
    /// One sentence for people.
    package var message: String
    /// Figures of the event, by name.
    package var details: [String: JSONValue]

    package init(
        _ kind: Kind, task: String? = nil, version: Int? = nil, merge: String? = nil, message: String,
        details: [String: JSONValue] = [:]
    ) {
        self.kind = kind
        self.task = task
        self.version = version
        self.merge = merge
        self.message = message
        self.details = details
    }
}
