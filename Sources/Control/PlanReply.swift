package import WorkerProtocol

/// What `GET /plan` answers: what the next merge would do, found without doing it.
package struct PlanReply: Codable, Hashable, Sendable {
    package enum State: String, Codable, Sendable {
        /// A merge starts as soon as nothing holds it.
        case due
        /// It is under way.
        case running
        /// There is nothing to merge.
        case nothing
    }

    package struct Task: Codable, Hashable, Sendable {
        package enum Change: String, Codable, Sendable {
            /// Not in the deployed release.
            case new
            /// Deployed with other content.
            case changed
            /// Deployed as it is.
            case kept
            /// Deployed, and no longer in the registry.
            case removed
            /// In the registry, and not in this merge.
            case leftOut = "left-out"
        }
        package var name: String
        package var change: Change
        /// Why it is left out; else empty.
        package var message: String
        package var digest: String?

        package init(name: String, change: Change, message: String = "", digest: String? = nil) {
            self.name = name
            self.change = change
            self.message = message
            self.digest = digest
        }
    }

    package var state: State
    /// One sentence: what holds the merge, or why there is none.
    package var message: String
    /// Version of the release that is deployed.
    package var deployed: Int?
    /// Sorted by name.
    package var tasks: [Task]
    package var isBaseChanged: Bool
    package var isConfigurationChanged: Bool
    package var settings: MergeSettings
    /// What the worker expects; nil where nothing is due, where the method learns nothing, or where it could not say.
    package var estimate: MergeEstimate?
    /// Why there is no estimate, or what was found wrong while making it; else nil.
    package var estimateProblem: String?
    /// About how long the merge takes, from the releases whose numbers are in `secondsFrom`; nil where none is like it.
    package var seconds: Double?
    package var secondsFrom: [Int]

    package init(state: State, message: String, settings: MergeSettings) {
        self.state = state
        self.message = message
        self.settings = settings
        tasks = []
        isBaseChanged = false
        isConfigurationChanged = false
        secondsFrom = []
    }
}
