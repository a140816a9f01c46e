import Foundation
package import WorkerProtocol

/// Decides from held-out scores whether a candidate may be published.
package struct Gate: Hashable, Sendable {
    /// The largest fall that passes where a task doesn't say its own.
    package var maximumRegression: Double
    /// A fall is chance unless the paired test's p lies below.
    static let significance = 0.05

    package init(maximumRegression: Double) { self.maximumRegression = maximumRegression }

    /// Judges each task: one that the deployed release has must not fall by more than its limit, where a paired test
    /// (if there is one) says that the fall is real; one that it does not have must be better than the base.
    package func judge(_ result: MergeResult, tasks: [TaskSource]) -> GateVerdict {
        let limits = Dictionary(tasks.map { ($0.name, $0.settings.maximumRegression) }) { first, _ in first }
        return GateVerdict(
            tasks: result.tasks.map { judge($0, allowed: (limits[$0.task] ?? nil) ?? maximumRegression) })
    }

    private func judge(_ task: TaskResult, allowed: Double) -> GateVerdict.Task {
        var verdict = GateVerdict.Task(
            task: task.task, metric: task.merged?.metric ?? "", before: (task.deployed ?? task.base)?.value,
            after: task.merged?.value, base: task.base?.value, allowed: allowed, examples: task.merged?.examples ?? 0)
        guard let merged = task.merged else { return verdict }
        guard merged.value.isFinite, merged.loss.isFinite else {
            verdict.objection = "has no finite score (\(merged.metric) \(merged.value), loss \(merged.loss))"
            return verdict
        }
        if let deployed = task.deployed {
            let fall = deployed.value - merged.value
            verdict.fall = fall
            verdict.pValue = task.paired.map { McNemar.pValue(gained: $0.gained, lost: $0.lost) }
            if fall > allowed + 1e-9, verdict.pValue ?? 0 < Self.significance {
                let chance = verdict.pValue.map { ", p = \(Self.text($0))" } ?? ""
                verdict.objection =
                    "fell from \(Self.text(deployed.value)) to \(Self.text(merged.value)) \(merged.metric) "
                    + "(limit \(Self.text(allowed)), \(merged.examples) examples\(chance))"
            }
        } else if let base = task.base, !isBetter(merged, than: base) {
            verdict.objection =
                "is not better than the base: \(Self.text(merged.value)) against \(Self.text(base.value)) "
                + "\(merged.metric) on \(merged.examples) examples"
        }
        return verdict
    }

    private func isBetter(_ merged: Score, than base: Score) -> Bool {
        merged.value > base.value || (merged.value == base.value && merged.loss < base.loss)
    }

    static func text(_ value: Double) -> String { String(format: "%.4g", value) }
}
