package import Files
import Ledger

/// What stood in the registry when the operator rolled back: it stays unmerged until something of it changes.
package struct HeldContent: Hashable, Sendable {
    /// Of base and settings.
    package var context: String
    /// Task → digest.
    package var tasks: [String: String]

    package init(context: String, tasks: [String: String]) {
        self.context = context
        self.tasks = tasks
    }

    /// Nil where a ledger entry holds none.
    package init?(_ value: JSONValue?) {
        guard let members = value?.members, let context = members["context"]?.text else { return nil }
        self.init(context: context, tasks: members["tasks"]?.members.compactMapValues(\.text) ?? [:])
    }

    package var ledgerValue: JSONValue {
        .object(["context": .string(context), "tasks": .object(tasks.mapValues { .string($0) })])
    }
}
