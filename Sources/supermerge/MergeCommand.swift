import ArgumentParser
import Files
import Foundation
import Merging
import Releases
import WorkerProtocol

/// `supermerge merge`: a merge with no daemon and no registry.
struct Merge: ParsableCommand, GraphCommand {
    static let configuration = CommandConfiguration(
        abstract: "Merge task checkpoints of one base into a folder.",
        discussion: "Exit status: 0 done, 1 failed, 2 usage.")

    @Option(help: "Folder of the base model: graph.pt2, weights, config.json.")
    var base: String
    @Option(name: .customLong("task"), help: "Folder of a task checkpoint with its validation set; once for each task.")
    var tasks: [String] = []
    @Option(help: "Folder to write; it must not exist or be empty.")
    var output: String
    @OptionGroup var options: MergeOptions
    @Flag(help: "Print the content of release.json on standard output.")
    var json = false

    func validate() throws {
        guard !tasks.isEmpty else { throw ValidationError("name at least one --task") }
        let names = tasks.map { $0.split(separator: "/").last ?? "" }
        guard Set(names).count == names.count else { throw ValidationError("two tasks have the same folder name") }
    }

    /// Without a graph nothing is learned or scored, and starting the libraries twice would be a third of the time.
    var runsGraph: Bool { (try? FileStatus.ifPresent(base + "/graph.pt2", followingLinks: true)) != nil }

    func run() throws {
        try Console.reportingFaults {
            let progress = ProgressLine()
            let staging = try prepareOutput()
            let plan = try plan(output: staging)
            let result = try MergeRun(plan) { progress.show($0) }.run()
            let record = ReleaseRecord(
                version: 0, created: Console.timestamp(), merge: plan.merge, settings: plan.settings, base: plan.base,
                tasks: plan.tasks, result: result)
            let complete = try ReleaseContents.complete(
                directory: staging, baseDirectory: base, record: record)
            try Durable.remove(plan.scratch)
            if json {
                Console.print(json: try JSON.encode(complete, pretty: true))
            } else {
                Console.print(ResultTable.text(complete))
            }
        }
    }

    private func prepareOutput() throws -> String {
        try Durable.createDirectories(output, mode: 0o755)
        guard try Durable.list(output).isEmpty else {
            throw MergeError(kind: .environment, message: "\(output) is not empty; name a new folder with --output")
        }
        return output
    }

    private func plan(output: String) throws -> MergePlan {
        let scratch = output + ".scratch"
        try Durable.createDirectories(scratch)
        let inputs = try Inputs.open(base: base, tasks: tasks)
        return MergePlan(
            merge: "manual", base: inputs.base, tasks: inputs.tasks.sorted { $0.name < $1.name }, settings: options.settings, output: output,
            scratch: scratch)
    }
}
