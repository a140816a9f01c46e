package import WorkerProtocol

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
        /// The same after Holm's correction for all tests of this gate.
        package var adjustedP: Double?
        /// Why the task stops the candidate; nil where it does not.
        package var objection: String?
    }

    /// The chance of refusing a candidate that is as good as the deployed release.
    package var familyWiseLevel: Double
    package var tasks: [Task]
    /// What the team's own gate answered; nil where it was not asked.
    package var command: GateRecord.Command?

    /// For `release.json`; nil where nothing was compared.
    package var record: GateRecord? {
        guard isJudged || command != nil else { return nil }
        let tests = tasks.compactMap { task in
            task.pValue.flatMap { p in task.adjustedP.map { GateRecord.Test(task: task.task, p: p, adjustedP: $0) } }
        }
        return GateRecord(familyWiseLevel: familyWiseLevel, tests: tests.sorted { $0.task < $1.task }, command: command)
    }

    /// False where no task could be scored: nothing was compared.
    package var isJudged: Bool { tasks.contains { $0.after != nil } }
    package var isPassed: Bool { tasks.allSatisfy { $0.objection == nil } }

    /// One sentence: what the team's own gate said, where it was asked, and what the held-out examples say.
    package var decision: String {
        guard let command else { return message }
        let reason = command.reason.map { ": \($0)" } ?? ""
        return "the gate command \(command.isAccepted ? "accepts" : "refuses")\(reason) (held-out examples: \(message))"
    }

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
