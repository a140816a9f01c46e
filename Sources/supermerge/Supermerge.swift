import ArgumentParser
import Merging

/// The numerical program: merges, scores and looks into files; the daemon's worker.
@main
struct Supermerge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supermerge",
        abstract: "Merge fine-tuned models of one base into one model.",
        discussion: "JSON and results go to standard output, everything else to standard error.",
        subcommands: [Merge.self, Evaluate.self, Inspect.self, FinetuneCommand.self, Worker.self])

    static func main() {
        NumericalRuntime.restartWithFastEnvironment()
        main(nil)
    }
}
