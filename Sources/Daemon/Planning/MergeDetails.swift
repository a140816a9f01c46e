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
    /// The name of the inputs without the new ones.
    var withoutNew: String

    init(_ request: MergeRequest) {
        inputs = request.name
        context = request.inputs.context
        tasks = request.inputs.tasks
        new = request.new
        withoutNew = request.withoutNew
    }

    /// Of a release, beside the one that was deployed before.
    init(_ record: ReleaseRecord, onto deployed: ReleaseRecord?) {
        let own = MergeInputs(record: record)
        let old = deployed.map { MergeInputs(record: $0).tasks } ?? [:]
        (inputs, context, tasks) = (own.fingerprint, own.context, own.tasks)
        new = own.tasks.filter { old[$0.key] != $0.value }.keys.sorted()
        var rest = own
        for task in new { rest.tasks[task] = old[task] }
        withoutNew = rest.fingerprint
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
