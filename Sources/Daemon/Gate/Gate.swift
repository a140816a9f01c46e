import Foundation
package import WorkerProtocol

/// Decides from held-out scores whether a candidate may be published.
package struct Gate: Hashable, Sendable {
    /// The largest fall that passes where a task doesn't say its own.
    package var maximumRegression: Double
    /// A fall is chance unless the paired test's p lies below.
    static let significance = 0.05
    /// With fewer examples the exact test can't fall below `significance`, whatever happens: then the fall alone counts.
    static let fewestExamples = 6

    package init(maximumRegression: Double) { self.maximumRegression = maximumRegression }

    /// Judges each task: one that the deployed release has must not fall by more than its limit, where a paired test
    /// (if there is one) says that the fall is real; one that it does not have must be better than the base.
    ///
    /// `requiresScores`: whether every task must have a score, as after a method that learns.
    package func judge(_ result: MergeResult, tasks: [TaskSource], requiresScores: Bool) -> GateVerdict {
        let limits = Dictionary(tasks.map { ($0.name, $0.settings.maximumRegression) }) { first, _ in first }
        let forgotten = tasks.map(\.name).filter { name in !result.tasks.contains { $0.task == name } }
        let results = result.tasks + forgotten.map { TaskResult(task: $0, fitted: 0) }
        return GateVerdict(
            tasks: results.map { task in
                var verdict = judge(task, allowed: (limits[task.task] ?? nil) ?? maximumRegression)
                if requiresScores, task.merged == nil {
                    verdict.objection = "has no score; nothing shows that it works"
                }
                return verdict
            })
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
            let fall = merged.fall(from: deployed)
            verdict.fall = fall
            let isTestable = merged.examples >= Self.fewestExamples
            verdict.pValue =
                isTestable ? task.paired.map { McNemar.pValue(gained: $0.gained, lost: $0.lost) } : nil
            if fall > allowed + 1e-9, verdict.pValue ?? 0 < Self.significance {
                let chance =
                    verdict.pValue.map { ", p = \(Self.text($0))" }
                    ?? (task.paired == nil || isTestable ? "" : ", too few for a paired test")
                verdict.objection =
                    "\(merged.isLowerBetter ? "rose" : "fell") from \(Self.text(deployed.value)) to \(Self.text(merged.value)) "
                    + "\(Score.phrase(merged.metric)) (limit \(Self.text(allowed)), \(merged.examples) examples\(chance))"
            }
        } else if let base = task.base, !isBetter(merged, than: base) {
            verdict.objection =
                "is not better than the base: \(Self.text(merged.value)) against \(Self.text(base.value)) "
                + "\(Score.phrase(merged.metric)) on \(merged.examples) examples"
        }
        return verdict
    }

    private func isBetter(_ merged: Score, than base: Score) -> Bool {
        merged.fall(from: base) < 0 || (merged.value == base.value && merged.loss < base.loss)
    }

    static func text(_ value: Double) -> String { String(format: "%.4g", value) }
}
