import WorkerProtocol

/// Records for the report's tests.
enum ReportSamples {
    static let names = ["sentiment", "topics", "toxicity", "questions"]

    /// A release of some tasks over some layers, with everything that a report can show.
    static func record(
        tasks names: [String] = names, layers: Int = 24, version: Int = 7, points: Int = 30
    ) -> ReleaseRecord {
        let results = names.enumerated().map { place, name -> TaskResult in
            var result = TaskResult(task: name, fitted: 72)
            let value = 0.7 + 0.02 * Double(place % 10)
            result.base = Score(examples: 24, loss: 0.9, metric: "accuracy", value: 0.5)
            result.own = Score(examples: 24, loss: 0.2, metric: "accuracy", value: 0.95)
            result.deployed = place == 0 ? nil : Score(examples: 24, loss: 0.5, metric: "accuracy", value: value - 0.04)
            result.merged = Score(examples: 24, loss: 0.4, metric: "accuracy", value: value)
            result.paired = place == 0 ? nil : PairedCounts(gained: 3, lost: 2)
            return result
        }
        var result = MergeResult(tasks: results)
        result.steps = 10 * points
        result.bestStep = 10 * (points / 2)
        result.weights = 9984
        result.seconds = 312.5
        result.peakMemory = 2_200_000_000
        result.versions = ["libtorch": "1.13.1", "threads": "2"]
        for look in 0...points {
            let loss = 1 / Double(look + 1)
            result.curve.append(FitPoint(step: 10 * look, loss: loss, heldOut: 1.2 * loss + 0.02 * Double(look)))
        }
        for layer in 0..<layers {
            result.coefficients["encoder.layer.\(layer / 4).part\(layer % 4).weight"] = names.indices.map {
                0.3 + 0.5 * Double((layer * 7 + $0 * 5) % 13 - 6) / 6
            }
        }
        for (place, first) in names.enumerated() {
            for second in names[(place + 1)...] {
                result.similarities.append(TaskSimilarity(first: first, second: second, cosine: 0.1 * Double(place)))
            }
        }
        result.strategy = StrategyChoice(strategy: .joint, reason: "strategy is set to joint")
        result.outputs = [SourceFile(name: "model.safetensors", bytes: 90_000_000, sha256: digest("f"))]
        let files = [SourceFile(name: "model.safetensors", bytes: 90_000_000, sha256: digest("e"))]
        return ReleaseRecord(
            version: version, created: "2026-03-04T05:06:07Z", merge: "0123456789ab", settings: MergeSettings(),
            base: BaseSource(directory: "/registry/base", files: files, digest: digest("b")),
            tasks: names.map {
                TaskSource(
                    name: $0, directory: "/registry/tasks/\($0)", files: files, digest: digest("a"),
                    settings: TaskSettings())
            }, result: result)
    }

    static func digest(_ digit: String) -> String { String(repeating: digit, count: 64) }
}
