import WorkerProtocol

/// What the gate says of a candidate, with the figures behind it.
package struct GateVerdict: Hashable, Sendable {
    /// One task's figures.
    package struct Task: Hashable, Sendable {
        package var task: String
        /// Name of the metric; higher is better, but for `perplexity`.
        package var metric: String
        /// Metric of what the candidate is compared with: the deployed release, or the base for a new task.
        package var before: Double?
        package var after: Double?
        package var base: Double?
        /// before − after where a deployed release is compared with; of a perplexity its rise as a share of `before`.
        package var fall: Double?
        /// The fall that passes.
        package var allowed: Double
        package var examples: Int
        /// p of the paired test, where examples can be paired.
        package var pValue: Double?
        /// Why the task stops the candidate; nil where it does not.
        package var objection: String?
    }

    package var tasks: [Task]

    /// False where no task could be scored: nothing was compared.
    package var isJudged: Bool { tasks.contains { $0.after != nil } }
    package var isPassed: Bool { tasks.allSatisfy { $0.objection == nil } }

    /// One sentence with every objection.
    package var message: String {
        guard !isPassed else {
            guard isJudged else { return "no gate: no validation data" }
            let agreeing = tasks.filter { $0.metric == Score.agreement }.map(\.task)
            return agreeing.isEmpty
                ? "passed"
                : "passed, judged by \(Score.phrase(Score.agreement)): \(agreeing.joined(separator: ", "))"
        }
        return tasks.compactMap { task in task.objection.map { "\(task.task) \($0)" } }.joined(separator: "; ")
    }
}
