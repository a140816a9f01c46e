import ArgumentParser
import Control
import Files
import Foundation
import Submission
import Tasks
import WorkerProtocol

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Put a task checkpoint into the registry.",
        discussion: """
            The folder is held against the registry's base by the rules of admission before anything is copied. \
            What a training run leaves beside a model (optimizer.pt, training_args.bin, checkpoint-*/ …) stays \
            behind. A folder whose content is in the registry already is not copied again. Exit status: 0 submitted, \
            with --wait published; 3 refused, with the reason; 1 failed.
            """)

    @OptionGroup var connection: Connection

    @Option(help: "Name of the task; default: the folder's.")
    var task: String?

    @Option(
        parsing: .upToNextOption,
        help: "Files of examples in place of the folder's: .safetensors, .jsonl or .csv; or a folder of images.")
    var examples: [String] = []

    @Flag(help: "Return when the task is published or refused.")
    var wait = false

    @Option(help: "The registry, where no daemon runs; default: the daemon's.")
    var registry: String?

    @Argument(help: "Folder of the checkpoint or the adapter.")
    var folder: String

    func validate() throws {
        if registry != nil, wait { throw ValidationError("--wait needs the daemon; leave --registry out") }
    }

    func run() async throws {
        var report = SubmissionReport(task: try name())
        do {
            try await submit(&report)
        } catch let failure as CommandFailure {
            (report.outcome, report.message) = (.failed, failure.message)
        } catch let fault as AdmissionFault {
            report.take(fault)
        } catch {
            (report.outcome, report.message) = (.failed, "\(error)")
        }
        try report.tell(json: connection.json)
    }

    private func name() throws -> String {
        let name = task ?? UploadLocation.realPath(folder)?.pathNames.last ?? folder.pathNames.last ?? ""
        guard UploadRules.isTaskName(name), !UploadRules.isIgnored(name) else {
            throw CommandFailure(
                "'\(name)' is no name of a task: expected \(UploadRules.taskNameForm), and no ending .tmp, .part or "
                    + ".incomplete; choose one with --task", status: 2)
        }
        return name
    }

    private func submit(_ report: inout SubmissionReport) async throws {
        let task = report.task
        let status =
            registry == nil
            ? try connection.decode(DaemonStatus.self, try await connection.send("GET", "/status")) : nil
        let registry = registry ?? status?.registry ?? ""
        let content = try SubmittedFolder(folder, examples: examples)
        report.leftOut = content.leftOut
        let check = try SubmissionCheck(content, task: task)
        let verdict = try check.verdict(base: "\(registry)/base", encoder: TableEncoding.encoder(in: check.scratch))
        report.warning = verdict.warning
        report.digest = verdict.digest
        try report.take(verdict, requiresExamples: status?.requiresExamples ?? false)
        guard report.outcome == nil else { return }
        let known = status?.tasks.first { $0.name == task }
        let tasks = RegistryTasks(registry: registry)
        report.isCopied = try known?.digest != verdict.digest || verdict.digest == nil || !tasks.holds(task)
        if report.isCopied {
            Terminal.error("copying \(task): \(content.files.count) files, \(Terminal.bytes(content.bytes))")
            if let rest = try tasks.put(check.files(), as: task) { report.rest = rest }
        }
        guard status != nil else { return report.submitted("in \(registry); the daemon takes it when it looks there") }
        if report.isCopied {
            let digest = verdict.digest.map { "?digest=\($0)" } ?? ""
            _ = try await connection.send("POST", "/submitted/\(task)\(digest)")
        }
        guard wait else { return report.submitted("'supermergectl watch' shows what becomes of it") }
        try await SubmissionWait(connection: connection).finish(&report)
    }
}
