import Files
package import WorkerProtocol

/// What would come of a folder that is dropped into a registry as it is.
package struct AdmissionDryRunResult: Codable, Hashable, Sendable {
    /// What a folder may be in a registry.
    package enum Role: String, Codable, Sendable { case base, task }

    /// What would become of it.
    package enum Outcome: String, Codable, Sendable {
        case admitted
        /// Only where the configured method learns nothing.
        case admittedForStaticMethods = "admitted-for-static-methods"
        case refused
        /// It can't be told.
        case unknown
    }

    /// What it was tried as.
    package var role: Role
    /// The base that a task was held against.
    package var base: String?
    package var outcome: Outcome
    /// Of a refusal: short and stable, for programs.
    package var code: String?
    /// The digest by which the ledger knows the content; nil where it is not admitted by any method.
    package var digest: String?
    /// Why it is not admitted, or not always, and what to do; one line.
    package var message: String?

    /// What keeps a service that runs as another user from reading it as it is, what admission takes with a
    /// reservation, and what to do; one line.
    package var warning: String?

    /// The task that would be admitted.
    package var task: TaskSource?

    private enum CodingKeys: String, CodingKey { case role, base, outcome, code, message, warning }

    /// For people: a line for a warning, if there is one, and the judgement's.
    package var text: String { (warning.map { "\($0)\n" } ?? "") + judgement }

    /// The methods that need neither examples nor a graph, in words.
    private static var staticMethods: String {
        let names = MergeSettings.Method.allCases.filter { !$0.needsExamples }.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }

    private var judgement: String {
        let role = "as a \(role.rawValue)\(base.map { " of \(shown($0))" } ?? "")"
        let reason = message.map { ": \($0)" } ?? ""
        return switch outcome {
        case .admitted: "would be admitted \(role)\(reason)"
        case .admittedForStaticMethods:
            "would be admitted \(role) only by \(Self.staticMethods), which learn nothing\(reason)"
        case .refused: "would be refused \(role)\(code.map { " (\($0))" } ?? "")\(reason)"
        case .unknown: "can't be judged \(role)\(reason)"
        }
    }
}
