import ArgumentParser
import Submission
import Tasks
import WorkerProtocol

/// What became of a submission, for people and as JSON.
struct SubmissionReport: Encodable {
    enum Outcome: String, Encodable { case published, submitted, refused, failed }

    var task: String
    /// Nil while it is under way.
    var outcome: Outcome?
    /// One sentence.
    var message = ""
    /// Of a refusal, short and stable.
    var code: String?
    /// The digest by which the ledger knows the content.
    var digest: String?
    /// The release that has the task with this content.
    var version: Int?
    /// Whether files were copied: not where the registry has this content already.
    var isCopied = false
    var leftOut: [SubmittedFolder.Omission] = []
    /// What admission takes with a reservation.
    var warning: String?
    /// A hidden folder that another member of the group has to remove.
    var rest: String?

    init(task: String) { self.task = task }

    mutating func submitted(_ what: String) {
        outcome = .submitted
        message = isCopied ? "submitted \(task): \(what)" : "\(task) is in the registry already: \(what)"
    }

    mutating func take(_ fault: AdmissionFault) {
        (outcome, message) = (.failed, "\(fault)")
        if case .refused(let code, _) = fault { (outcome, self.code) = (.refused, code) }
    }

    /// Ends the submission where admission would not take it.
    mutating func take(_ verdict: AdmissionDryRunResult, requiresExamples: Bool) throws {
        let message = verdict.message ?? ""
        switch verdict.outcome {
        case .admitted: return
        case .admittedForStaticMethods:
            guard requiresExamples else { return }
            (outcome, code, self.message) = (.refused, "missing-validation", message)
        case .refused: (outcome, code, self.message) = (.refused, verdict.code, message)
        case .unknown: throw CommandFailure(message)
        }
    }

    /// Prints it and ends with the exit status that it stands for.
    func tell(json: Bool) throws {
        if json {
            Terminal.print(String(decoding: try JSON.encode(self), as: UTF8.self))
        } else {
            for file in leftOut { Terminal.error("left out \(file.name): \(file.reason)") }
            if let warning { Terminal.error("warning: \(warning)") }
            if let rest { Terminal.error("warning: \(rest) can't be removed by you; its owner can") }
            switch outcome {
            case .published, .submitted: Terminal.print(message)
            case .refused: Terminal.error("\(task) refused\(code.map { " (\($0))" } ?? ""): \(message)")
            case .failed, nil: Terminal.error(message)
            }
        }
        switch outcome {
        case .published, .submitted: return
        case .refused: throw ExitCode(3)
        case .failed, nil: throw ExitCode(1)
        }
    }
}
