internal import Files
internal import Foundation
internal import WorkerProtocol

/// README.md of a release: a Hugging Face model card, generated from the record and the base's name.
struct ModelCard {
    let record: ReleaseRecord
    /// Name of the base model: `_name_or_path` of the copied config.json, of a path its last part, else its folder's
    /// name.
    let base: String
    let hasConfiguration: Bool
    private let directory: String

    init(record: ReleaseRecord, directory: String) {
        self.record = record
        self.directory = directory
        let bytes = try? Durable.contents("\(directory)/config.json", limit: 16 << 20)
        hasConfiguration = bytes != nil
        let configuration = bytes.flatMap { try? JSONValue.members(parsing: $0, .python) }
        let named = configuration?["_name_or_path"]?.text ?? ""
        let isHubName = named.wholeMatch(of: /([A-Za-z0-9][A-Za-z0-9._-]*\/)?[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
        let paths = [named, record.base.directory].lazy
        base = isHubName ? named : paths.compactMap { $0.pathNames.last }.first ?? "base"
    }

    var text: String {
        ([frontMatter, introduction, loading, table, method, adapter, coefficients, verification] as [String?])
            .compactMap { $0 }.joined(separator: "\n") + "\n"
    }

    /// Whether the release records the model class of the task's head.
    func isDescribed(_ task: TaskSource) -> Bool {
        let path = "\(directory)/heads/\(task.name).json"
        guard let bytes = try? Durable.contents(path, limit: HeadConfiguration.longest) else { return false }
        return HeadConfiguration(bytes)?.architectures != nil
    }

    private var frontMatter: String {
        var lines = ["---", "base_model:", "- \(Self.quoted(base))", "base_model_relation: merge"]
        if hasConfiguration { lines.append("library_name: transformers") }
        let tags = ["merge", "supermerge", record.settings.method.rawValue]
        lines += ["tags:"] + Set(tags).sorted().map { "- \($0)" } + ["---", ""]
        return lines.joined(separator: "\n")
    }

    private var introduction: String {
        let name = record.version > 0 ? "Release \(record.version)" : "Merged model"
        let tasks = record.tasks.map { "`\($0.name)`" }.joined(separator: ", ")
        let repeats = record.rollbackOf.map { "\n\nIt repeats the content of release \($0) (rollback)." } ?? ""
        return """
            # \(name)

            One model for \(record.tasks.count) task\(record.tasks.count == 1 ? "" : "s") (\(tasks)), merged from fine-tuned \
            checkpoints of `\(base)` on \(record.created).\(repeats)

            """
    }

    private var table: String? {
        let scored = record.result.tasks.filter { $0.merged != nil }
        guard !scored.isEmpty else { return "No task had validation data, so nothing was measured.\n" }
        var lines = [
            "## Tasks", "", "Metric on held-out examples, before and after.", "",
            "| task | examples | metric | base | own fine-tune | previous release | this release |",
            "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
        ]
        for result in scored {
            let merged = result.merged
            let scores = [result.base, result.own, result.deployed, merged].map(Self.cell)
            lines.append(
                "| \(result.task) | \(merged?.examples ?? 0) | \(merged?.metric ?? "") | "
                    + "\(scores.joined(separator: " | ")) |"
            )
        }
        if scored.contains(where: { $0.merged?.metric == Score.agreement }) {
            lines.append(
                "\n`\(Score.agreement)`: those examples have no labels. It is the share on which a model predicts what "
                    + "the task's own fine-tune does (for a regression their correlation), so it shows what merging "
                    + "lost and not whether the fine-tune was right.")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var method: String {
        let settings = record.resolvedSettings
        var lines = ["## Method", "", "- method: `\(settings.method.rawValue)`"]
        if settings.method.isLearned {
            lines += [
                "- strategy: `\((record.result.strategy?.strategy ?? settings.strategy).rawValue)`, granularity "
                    + "`\(settings.granularity.rawValue)`, loss `\(settings.loss.rawValue)`",
                "- \(record.result.steps) steps, weights of step \(record.result.bestStep) kept, "
                    + "\(record.result.weights) merging weights, seed \(settings.seed)",
            ]
        } else if settings.method != .average {
            lines.append("- scale \(settings.scale)")
        }
        lines += record.result.notes.map { "- \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The section on the merged adapter, if the release has one.
    private var adapter: String? {
        guard record.result.outputs.contains(where: { $0.name.hasPrefix("adapter/") }) else { return nil }
        return """
            ## Adapter

            `adapter/` is the same merge as one adapter, for PEFT and servers of adapters:

            ```
            PeftModel.from_pretrained(base, "adapter")
            ```

            """
    }

    /// Spread of each task's coefficients over the layers; `release.json` has them all.
    private var coefficients: String? {
        let layers = record.result.coefficients
        guard !layers.isEmpty else { return nil }
        var lines = [
            "## Merge coefficients", "", "Over \(layers.count) layers; each one is in `\(ReleaseContents.recordName)`.",
            "",
            "| task | mean | least | greatest |", "| --- | ---: | ---: | ---: |",
        ]
        for (place, task) in record.tasks.enumerated() {
            let values = layers.values.compactMap { $0.indices.contains(place) ? $0[place] : nil }.sorted()
            guard let least = values.first, let greatest = values.last else { continue }
            let figures = [values.reduce(0, +) / Double(values.count), least, greatest].map(Self.number)
            lines.append("| \(task.name) | \(figures.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var verification: String {
        let command =
            record.version > 0
            ? "\nor, beside the service, `supermergectl verify \(record.version)`; `supermergectl reproduce "
                + "\(record.version)` makes it again from what went in and compares the bytes.\n" : ""
        return """
            ## How to verify

            `\(ReleaseContents.recordName)` holds the SHA-256 of everything that went in and came out:

            ```
            jq -r '.result.outputs[] | .sha256 + "  " + .name' \(ReleaseContents.recordName) | sha256sum -c
            ```
            \(command)
            """
    }

    private static func cell(_ score: Score?) -> String { score.map { number($0.value) } ?? "–" }

    private static func number(_ value: Double) -> String { String(format: "%.4f", value) }

    /// A double-quoted YAML scalar on one line.
    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : scalar.value < 0x20 ? " " : String(scalar)
        }
        return "\"\(escaped.joined())\""
    }
}
