import Foundation
package import WorkerProtocol

/// Decides from held-out scores whether a candidate may be published.
package struct Gate: Hashable, Sendable {
    /// The largest fall that passes where a task doesn't say its own.
    package var maximumRegression: Double
    /// The smallest share of a task's parameters that must be merged.
    package var mergedShare: Double
    /// A fall is chance unless the paired test's p, corrected for the number of tests, lies below: the chance that a
    /// candidate as good as the deployed release is refused for any task.
    package var familyWiseLevel: Double

    package init(maximumRegression: Double, mergedShare: Double = 0, familyWiseLevel: Double = 0.05) {
        self.maximumRegression = maximumRegression
        self.mergedShare = mergedShare
        self.familyWiseLevel = familyWiseLevel
    }

    package init(_ settings: Configuration.GateSettings) {
        self.init(
            maximumRegression: settings.maximumRegression, mergedShare: settings.mergedShare,
            familyWiseLevel: settings.familyWiseLevel)
    }

    /// Judges each task: one that the deployed release has must not fall by more than its limit, where a paired test
    /// (if there is one) says that the fall is real, after Holm's correction for all tests of this gate;
    /// one that it does not have must be better than the base.
    ///
    /// `requiresScores`: whether every task must have a score, as after a method that learns.
    package func judge(_ result: MergeResult, tasks: [TaskSource], requiresScores: Bool) -> GateVerdict {
        let limits = Dictionary(tasks.map { ($0.name, $0.settings.maximumRegression) }) { first, _ in first }
        let forgotten = tasks.map(\.name).filter { name in !result.tasks.contains { $0.task == name } }
        let results = result.tasks + forgotten.map { TaskResult(task: $0, fitted: 0) }
        let tested = results.compactMap { task in pValue(of: task).map { (task.task, $0) } }
        let adjusted = Dictionary(zip(tested.map(\.0), Holm.adjusted(tested.map(\.1)))) { first, _ in first }
        return GateVerdict(
            familyWiseLevel: familyWiseLevel,
            tasks: results.map { task in
                var verdict = judge(
                    task, allowed: (limits[task.task] ?? nil) ?? maximumRegression, adjustedP: adjusted[task.task],
                    tests: tested.count)
                if requiresScores, task.merged == nil {
                    verdict.objection = "has no score; nothing shows that it works"
                }
                if let share = result.merged?.shares[task.task], share < mergedShare {
                    verdict.objection =
                        "has \(Self.text(share)) of its parameters merged (limit \(Self.text(mergedShare))): the "
                        + "others are shipped as its head; save it under the base's names, or lower `gate.merged-share`"
                }
                return verdict
            })
    }

    private func judge(
        _ task: TaskResult, allowed: Double, adjustedP: Double?, tests: Int
    ) -> GateVerdict.Task {
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
            verdict.pValue = pValue(of: task)
            verdict.adjustedP = adjustedP
            let isChance = (adjustedP ?? 0) >= familyWiseLevel && (task.paired?.lostHeldOut ?? 0) <= 1
            if fall > allowed + 1e-9, !isChance {
                verdict.objection =
                    "\(merged.isLowerBetter ? "rose" : "fell") from \(Self.text(deployed.value)) to "
                    + "\(Self.text(merged.value)) \(Score.phrase(merged.metric)) "
                    + "(limit \(Self.text(allowed)), \(merged.examples) examples"
                    + "\(Self.chance(task.paired, verdict, examples: merged.examples, tests: tests)))"
            }
        } else if let base = task.base, !isBetter(merged, than: base) {
            verdict.objection =
                "is not better than the base: \(Self.text(merged.value)) against \(Self.text(base.value)) "
                + "\(Score.phrase(merged.metric)) on \(merged.examples) examples"
        }
        return verdict
    }

    /// p of the paired test of a deployed task alone. Nil with so few examples that no exact test can fall below 0.05,
    /// whatever happens: then the fall alone counts.
    private func pValue(of task: TaskResult) -> Double? {
        guard let merged = task.merged, task.deployed != nil, let paired = task.paired,
            merged.value.isFinite, merged.loss.isFinite,
            paired.examples ?? merged.examples >= PairedCounts.fewestExamples
        else { return nil }
        return paired.p ?? McNemar.pValue(gained: paired.gained, lost: paired.lost)
    }

    /// What the paired test says, after a comma.
    private static func chance(
        _ paired: PairedCounts?, _ verdict: GateVerdict.Task, examples: Int, tests: Int
    ) -> String {
        guard let paired else { return "" }
        guard let pValue = verdict.pValue else { return ", too few for a paired test" }
        let compared = paired.examples ?? examples
        let lost = paired.lostHeldOut.map { $0 > 1 ? ", \($0) of those held out lost" : "" } ?? ""
        let corrected = tests > 1 ? verdict.adjustedP.map { ", \(text($0)) for \(tests) tests" } ?? "" : ""
        return ", p = \(text(pValue))" + (compared > examples ? " over all \(compared)" : "") + corrected + lost
    }

    /// With as good a metric, a lower loss is better only where the metric can't say more: at its best, or on a few
    /// examples.
    private func isBetter(_ merged: Score, than base: Score) -> Bool {
        guard merged.value == base.value else { return merged.fall(from: base) < 0 }
        let isSilent = merged.value == 1 || merged.examples < PairedCounts.fewestExamples
        return isSilent && merged.loss < base.loss
    }

    static func text(_ value: Double) -> String { String(format: "%.4g", value) }
}
