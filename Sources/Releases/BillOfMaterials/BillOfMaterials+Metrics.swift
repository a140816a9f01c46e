internal import Files
internal import Foundation
internal import WorkerProtocol

/// What was measured and what the merge took.
extension BillOfMaterials {
    var modelCard: JSONValue {
        let metrics = record.result.tasks.sorted { $0.task < $1.task }.flatMap { task in
            [
                ("own checkpoint", task.own), ("base", task.base), ("release before", task.deployed),
                ("this release", task.merged),
            ]
            .compactMap { model, score -> JSONValue? in
                guard let score else { return nil }
                return .object([
                    "type": .string(score.metric), "value": .string(Self.text(score.value)),
                    "slice": .string("task \(task.task), \(model), \(score.examples) held-out examples"),
                ])
            }
        }
        let references = record.tasks.flatMap { task in
            task.files.filter { Self.isExamples($0.name) }.map { "data/task/\(task.name)/\($0.name)" }
        }
        return .object([
            "modelParameters": .object([
                "approach": .object(["type": "supervised"]),
                "datasets": .array(references.map { .object(["ref": .string($0)]) }),
            ]),
            "quantitativeAnalysis": .object(["performanceMetrics": .array(metrics)]),
        ])
    }

    /// The gate's thresholds and verdict, task by task.
    var figures: [JSONValue] {
        var properties = record.tasks.compactMap { task in
            task.settings.maximumRegression.map {
                Self.property("gate:\(task.name):maximum-regression", Self.text($0))
            }
        }
        if let gate = record.gate {
            properties.append(Self.property("gate:verdict", "accepted"))
            properties.append(Self.property("gate:family-wise-level", Self.text(gate.familyWiseLevel)))
            for test in gate.tests {
                properties.append(Self.property("gate:\(test.task):p", Self.text(test.p)))
                properties.append(Self.property("gate:\(test.task):adjusted-p", Self.text(test.adjustedP)))
            }
            for (name, task) in (gate.command?.tasks ?? [:]).sorted(by: { $0.key < $1.key }) {
                properties.append(Self.property("gate:command:\(name):\(task.metric)", Self.text(task.value)))
                if let minimum = task.minimum {
                    properties.append(Self.property("gate:command:\(name):minimum", Self.text(minimum)))
                }
            }
        } else {
            properties.append(Self.property("gate:verdict", "not judged"))
        }
        if let version = record.rollbackOf { properties.append(Self.property("rollback-of", String(version))) }
        if let ledger = record.ledger {
            properties.append(Self.property("ledger:entries", String(ledger.entries)))
            properties.append(Self.property("ledger:digest", ledger.digest))
        }
        return properties
    }

    /// The merge: by which settings, and what it took.
    var workflow: JSONValue {
        let result = record.result
        var properties = [
            Self.property("method", record.settings.method.rawValue),
            Self.property("settings:sha256", settingsDigest), Self.property("seconds", Self.text(result.seconds)),
            Self.property("threads", String(record.settings.threads)), Self.property("device", result.device),
            Self.property("dtype", result.dtype), Self.property("peak-memory-bytes", String(result.peakMemory)),
            Self.property("steps", String(result.steps)),
        ]
        for (phase, passes) in result.passes.sorted(by: { $0.key < $1.key }) {
            properties.append(Self.property("passes:\(phase):forward", String(passes.forward)))
            properties.append(Self.property("passes:\(phase):backward", String(passes.backward)))
        }
        if let one = result.flopsPerPass, let all = result.flops {
            properties.append(Self.property("flops-per-forward-pass:estimate", Self.text(one)))
            properties.append(Self.property("flops:estimate", Self.text(all)))
        }
        var workflow: [String: JSONValue] = [
            "bom-ref": "merge", "uid": .string(record.merge.isEmpty ? "merge" : record.merge), "name": "merge",
            "taskTypes": .array(["merge"]), "timeEnd": .string(record.created), "properties": .array(properties),
        ]
        workflow["timeStart"] = result.started.map { .string($0) }
        return .object(workflow)
    }

    private var settingsDigest: String {
        Digest.sha256(Array((try? JSON.encode(record.settings)) ?? Data()))
    }

    static func text(_ value: Double) -> String { "\(value)" }
}
