import ArgumentParser
import WorkerProtocol

/// The numerical program: merges, scores and looks into files; the daemon's worker. Exit status: 0 done, 1 failed, 2
/// usage.
@main
struct Supermerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supermerge",
        abstract: "Merge fine-tuned models of one base into one model.",
        discussion: "JSON and results go to standard output, everything else to standard error.",
        version: Product.version,
        subcommands: [
            Merge.self, Evaluate.self, Inspect.self, Encode.self, Reproduce.self, FinetuneCommand.self, Worker.self,
        ])

    /// Runs a subcommand; usage errors exit with 2.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch  where exitCode(for: error) == .validationFailure {
            Console.say(fullMessage(for: error))
            exit(withError: ExitCode(2))
        } catch {
            exit(withError: error)
        }
    }
}
