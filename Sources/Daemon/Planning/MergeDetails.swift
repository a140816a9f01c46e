import Files
import Ledger
import WorkerProtocol

/// The part of a merge's ledger entries that the memory is rebuilt from.
struct MergeDetails {
    var inputs: String
    var context: String
    /// Task → digest.
    var tasks: [String: String]
    var new: [String]
    /// Fingerprint of the inputs without the new ones.
    var withoutNew: String

    init(_ request: MergeRequest) {
        inputs = request.inputs.fingerprint
        context = request.inputs.context
        tasks = request.inputs.tasks
        new = request.new
        withoutNew = request.withoutNew
    }

    init(_ details: [String: JSONValue]) {
        inputs = details["inputs"]?.text ?? ""
        context = details["context"]?.text ?? ""
        tasks = details["tasks"]?.members.compactMapValues(\.text) ?? [:]
        new = details["new"]?.elements.compactMap(\.text) ?? []
        withoutNew = details["without-new"]?.text ?? ""
    }

    var ledgerDetails: [String: JSONValue] {
        [
            "inputs": .string(inputs), "context": .string(context), "tasks": .object(tasks.mapValues { .string($0) }),
            "new": .array(new.map { .string($0) }), "without-new": .string(withoutNew),
        ]
    }

    /// How the tasks were fitted together, and why.
    static func of(_ choice: StrategyChoice) -> [String: JSONValue] {
        ["strategy": .string(choice.strategy.rawValue), "strategy-reason": .string(choice.reason)]
    }
}
