package import Tasks
package import WorkerProtocol

/// What the reconciler should do now.
package enum Decision: Hashable, Sendable {
    case nothing(Rest)
    case merge(MergeRequest)

    /// Why there is nothing to merge, with the sentence for people.
    package struct Rest: Hashable, Sendable {
        package enum Reason: String, Sendable {
            /// The deployed release has everything that can be merged.
            case upToDate = "up-to-date"
            /// No task can be merged.
            case noTasks = "no-tasks"
            /// The base is missing, arriving or refused.
            case noBase = "no-base"
            /// The operator paused merging.
            case paused
            /// A rollback: these inputs stay unmerged until something changes.
            case held
            /// The base, its graph or the settings can't be used.
            case blocked
            /// A deployed task is neither in the registry nor kept, though its folder is there: a merge now would
            /// remove it.
            case waiting
            /// A release is on trial: what is new waits for its end.
            case onTrial = "on-trial"
            /// The gate refused exactly these inputs, or they failed again and again.
            case refused
        }

        package var reason: Reason
        package var message: String

        package init(_ reason: Reason, _ message: String) {
            self.reason = reason
            self.message = message
        }
    }
}

/// A merge worth starting.
package struct MergeRequest: Hashable, Sendable {
    package var base: AcceptedBase
    /// In order of their names; from the registry, or as they are kept.
    package var tasks: [TaskSource]
    package var inputs: MergeInputs
    /// What the ledger calls the inputs: see `PlannerMemory.name(of:)`.
    package var name: String
    /// Names of the tasks that the deployed release does not have with this content.
    package var new: [String]
    /// The name of the inputs without the new ones: if these alone are refused, the new ones are not to blame.
    package var withoutNew: String
}
