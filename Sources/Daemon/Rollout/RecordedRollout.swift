package import Files

/// A release on trial, as the ledger has it.
package struct RecordedRollout: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        /// It is the candidate, and `current` is as it was.
        case canary
        /// It is deployed, and the one before is deployed again where it fails.
        case watch
    }

    package var kind: Kind
    package var version: Int
    /// The release that is deployed where this one is taken back; nil for the first.
    package var previous: Int?
    /// The answer of the check that said no, where nothing came of it yet.
    package var failure: String?
    /// What went into the release.
    package var details: [String: JSONValue]

    package init(
        _ kind: Kind, version: Int, previous: Int?, failure: String? = nil, details: [String: JSONValue] = [:]
    ) {
        self.kind = kind
        self.version = version
        self.previous = previous
        self.failure = failure
        self.details = details
    }
}

extension RecordedRollout {
    /// The keys of an entry that say what went into a release.
    static let inputKeys: Set = ["inputs", "context", "tasks", "new", "without-new", "digest"]

    /// Names of the tasks that the release before does not have with this content.
    var new: [String] { details["new"]?.elements.compactMap(\.text) ?? [] }
}
