import Foundation
import WorkerProtocol

/// What the team's own gate gets on its standard input, as JSON.
struct GateQuestion: Encodable, Sendable {
    struct Task: Encodable, Sendable {
        var name: String
        /// Where its files lie.
        var path: String
        var digest: String
        var objective: String
        var isNew: Bool
        /// On the held-out examples; left out where it was not scored.
        var metric: String?
        var before: Double?
        var after: Double?
    }

    /// Folder of the candidate: the files of the release that it would become, without the base's.
    var candidate: String
    /// Folder of the deployed release; left out for the first.
    var deployed: String?
    /// Folder of the base.
    var base: String
    var merge: String
    var tasks: [Task]
    var settings: MergeSettings
    /// Whether the held-out examples speak against it, and how.
    var heldOut: String
    var isHeldOutPassed: Bool

    init(_ plan: MergePlan, new: [String], deployed: String?, _ verdict: GateVerdict) {
        candidate = plan.output
        self.deployed = deployed
        base = plan.base.directory
        merge = plan.merge
        settings = plan.settings
        heldOut = verdict.message
        isHeldOutPassed = verdict.isPassed
        let judged = Dictionary(verdict.tasks.map { ($0.task, $0) }) { first, _ in first }
        tasks = plan.tasks.map { task in
            let figures = judged[task.name]
            return Task(
                name: task.name, path: task.directory, digest: task.digest, objective: task.settings.objective.rawValue,
                isNew: new.contains(task.name), metric: figures?.metric, before: figures?.before, after: figures?.after)
        }
    }
}
