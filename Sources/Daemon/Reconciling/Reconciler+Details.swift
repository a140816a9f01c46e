import Files
import Ledger
import Releases
import WorkerProtocol

extension Reconciler {
    /// What the ledger keeps of a release: its inputs, the digest of its files, and each task's figures.
    func publicationDetails(_ release: Release, verdict: GateVerdict?) -> [String: JSONValue] {
        let record = release.record
        let inputs = MergeInputs(record: record)
        var details: [String: JSONValue] = [
            "inputs": .string(inputs.fingerprint), "context": .string(inputs.context),
            "tasks": .object(inputs.tasks.mapValues { .string($0) }), "new": .array([]),
            "base": .string(inputs.base), "digest": .string(release.digest), "steps": .integer(record.result.steps),
            "seconds": .number(record.result.seconds),
        ]
        if let choice = record.result.strategy { details.merge(MergeDetails.of(choice)) { _, new in new } }
        if let start = record.result.start {
            details["start"] = .string(start.start.rawValue)
            details["start-reason"] = .string(start.reason)
        }
        if !record.result.passes.isEmpty {
            details["passes"] = .object(
                record.result.passes.mapValues {
                    .object(["forward": .integer($0.forward), "backward": .integer($0.backward)])
                })
        }
        if let verdict {
            details["gate"] = .string(verdict.decision)
            details["command"] = verdict.command.map(Self.command)
            details["scores"] = Self.scores(verdict)
        }
        return details
    }

    /// What the team's own gate answered.
    static func command(_ answer: GateRecord.Command) -> JSONValue {
        var details: [String: JSONValue] = [
            "verdict": answer.isAccepted ? "accept" : "refuse", "seconds": .number(answer.seconds),
        ]
        details["reason"] = answer.reason.map { .string($0) }
        details["tasks"] = .object(
            answer.tasks.mapValues { task in
                var figures: [String: JSONValue] = ["metric": .string(task.metric), "value": .number(task.value)]
                figures["minimum"] = task.minimum.map { .number($0) }
                return .object(figures)
            })
        return .object(details)
    }

    /// Task → its figures before and after.
    static func scores(_ verdict: GateVerdict) -> JSONValue {
        var scores: [String: JSONValue] = [:]
        for task in verdict.tasks {
            var figures: [String: JSONValue] = [
                "metric": .string(task.metric), "examples": .integer(task.examples), "allowed": .number(task.allowed),
            ]
            let numbers: [(String, Double?)] = [
                ("before", task.before), ("after", task.after), ("base", task.base), ("fall", task.fall),
                ("p", task.pValue), ("adjusted-p", task.adjustedP),
            ]
            for (name, value) in numbers {
                guard let value else { continue }
                figures[name] = value.isFinite ? .number(value) : .string("\(value)")
            }
            figures["objection"] = task.objection.map { .string($0) }
            scores[task.task] = .object(figures)
        }
        return .object(scores)
    }
}
