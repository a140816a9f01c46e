import ArgumentParser
import Control
import Files
import Submission
import Tasks
import WorkerProtocol

struct WithdrawCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdraw", abstract: "Take a task out of the registry; the next release leaves it out.",
        discussion: """
            The release that is deployed stays until the next one. A task that is not in the registry is no error, \
            so that a job may be run twice.
            """)

    @OptionGroup var connection: Connection

    @Flag(help: "Return when the release without it is published, or can't be.")
    var wait = false

    @Argument(help: "Name of the task.")
    var task: String

    func run() async throws {
        guard UploadRules.isTaskName(task) else {
            throw CommandFailure("'\(task)' is no name of a task: expected \(UploadRules.taskNameForm)", status: 2)
        }
        let status = try connection.decode(DaemonStatus.self, try await connection.send("GET", "/status"))
        let tasks = RegistryTasks(registry: status.registry)
        var reply = ActionReply(
            .done, "task \(task) is not in the registry: nothing to withdraw", version: status.deployed?.version)
        do {
            if try tasks.holds(task) {
                let rest = try tasks.take(task)
                if let rest { Terminal.error("warning: \(rest) can't be removed by you; its owner can") }
                reply = try connection.decode(
                    ActionReply.self, try await connection.send("POST", "/withdrawn/\(task)"))
            }
        } catch let error as FilesError {
            throw CommandFailure("task \(task) can't be withdrawn: \(error)")
        }
        if wait, reply.outcome == .done {
            reply = try connection.decode(ActionReply.self, try await connection.send("POST", "/rescan?wait=true"))
        }
        try connection.tell(reply)
    }
}
