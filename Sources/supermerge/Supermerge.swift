import ArgumentParser
import Glibc
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
            leave()
        } catch  where exitCode(for: error) == .validationFailure {
            Console.say(fullMessage(for: error))
            exit(withError: ExitCode(2))
        } catch {
            exit(withError: error)
        }
    }

    /// Ends the process without the destructors of libtorch, which take its operators out of its tables one by one: a
    /// fifth of the time of its start.
    private static func leave() -> Never {
        fflush(nil)
        _exit(EXIT_SUCCESS)
    }
}
