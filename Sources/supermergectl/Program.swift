import ArgumentParser
import WorkerProtocol

/// The operator's hand on a running daemon. Exit status: 0 done, 1 failed, 2 usage, 3 refused by the gate.
@main
struct Program: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supermergectl", abstract: "Look at a running supermerged and steer it.",
        version: Product.version,
        subcommands: [
            StatusCommand.self, HealthCommand.self, WatchCommand.self, PlanCommand.self, HistoryCommand.self,
            ShowCommand.self, DiffCommand.self, SubmitCommand.self, WithdrawCommand.self, PromoteCommand.self,
            RejectCommand.self, RollbackCommand.self,
            RescanCommand.self, PauseCommand.self,
            ResumeCommand.self, RetryCommand.self, VerifyCommand.self, AcceptLedgerCommand.self,
            ReproduceCommand.self,
        ])

    @Option(help: "The daemon's control socket; default: $SUPERMERGE_SOCKET or /run/supermerge/control.sock.")
    var socket: String?

    /// Runs a subcommand; usage errors exit with 2.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.report()
            exit(withError: ExitCode(failure.status))
        } catch  where exitCode(for: error) == .validationFailure {
            Terminal.error(fullMessage(for: error))
            exit(withError: ExitCode(2))
        } catch {
            exit(withError: error)
        }
    }
}
