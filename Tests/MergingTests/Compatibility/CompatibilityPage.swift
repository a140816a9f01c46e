import Foundation
import Registry
import Tasks
import WorkerProtocol

/// docs/compatibility.md, made of what became of each case.
struct CompatibilityPage {
    struct Row {
        var inputCase: InputCase
        var outcome: InputTrial.Outcome
    }

    struct Section {
        var title: String
        var text: String
        var rows: [Row]
    }

    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/compatibility.md")

    var sections: [Section]
    /// Objective → what `metric` may be beside it, as `task.yaml` is read.
    var metrics: [(objective: TaskSettings.Objective, taken: [Metric])]

    var text: String {
        let introduction = """
            # What can be merged

            Written by the tests (`make compatibility`), which fail where it is not what they find. Each row is a drop that goes \
            the way of all drops: through admission, and, where that takes it, alone into a merge with coefficient 1, which has to \
            give back the fine-tune within the number that the row names, relative to the largest number of each tensor. The \
            suites that are named look closer.
            """
        return ([introduction] + sections.map(Self.table) + [objectives]).joined(separator: "\n\n") + "\n"
    }

    private static func table(_ section: Section) -> String {
        let rows = section.rows.map { row in
            let suites = row.inputCase.suites.map { "`\($0)`" }.joined(separator: ", ")
            return switch row.outcome {
            case .merged(_, let warnings):
                "| \(row.inputCase.kind) | \(accepted(warnings)) | within \(limit(row.inputCase)); \(suites) |"
            case .refused(let message):
                "| \(row.inputCase.kind) | refused: \(escaped(message)) | the message; \(suites) |"
            }
        }
        let header = ["| input | | tested |", "| --- | --- | --- |"]
        return (["## \(section.title)", "", section.text, ""] + header + rows).joined(separator: "\n")
    }

    private static func accepted(_ warnings: [String]) -> String {
        warnings.isEmpty ? "accepted" : "accepted, with a warning: \(escaped(warnings.joined(separator: "; ")))"
    }

    private static func limit(_ inputCase: InputCase) -> String {
        guard case .accepted(let limit) = inputCase.verdict else { return "" }
        return String(format: "%g", limit)
    }

    /// A message in a cell of a table.
    private static func escaped(_ message: String) -> String { message.replacing("|", with: "\\|") }

    private var objectives: String {
        let rows = metrics.map { row in
            "| `\(row.objective.rawValue)` | \(row.taken.map { "`\($0.rawValue)`" }.joined(separator: ", ")) |"
        }
        let text = """
            ## Objectives and metrics

            What labels mean and what is refused among them: [objectives.md](objectives.md). Any other metric is refused in \
            `task.yaml`. Losses, gradients and metrics are PyTorch's in `ObjectiveParityTests`; faulty labels: \
            `ObjectiveAdmissionTests`; whole merges: `ObjectiveRunTests`, `TargetRunTests`.

            | `objective` | `metric` |
            | --- | --- |
            """
        return ([text] + rows).joined(separator: "\n")
    }

    /// Which metrics the reader of `task.yaml` takes for each objective.
    static func metrics(in directory: String) throws -> [(objective: TaskSettings.Objective, taken: [Metric])] {
        try TaskSettings.Objective.allCases.map { objective in
            let taken = try Metric.allCases.filter { metric in
                let text = "objective: \(objective.rawValue)\nmetric: \(metric.rawValue)\n"
                try Data(text.utf8).write(to: URL(filePath: directory + "/task.yaml"))
                return (try? TaskSettingsFile.read(directory: directory))?.metric == metric
            }
            return (objective, taken)
        }
    }
}
