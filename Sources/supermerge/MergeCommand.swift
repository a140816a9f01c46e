import ArgumentParser
import Files
import Foundation
import Merging
import Releases
import Tasks
import WorkerProtocol

/// `supermerge merge`: a merge with no daemon and no registry.
struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Merge task checkpoints of one base into a folder.",
        discussion: "Exit status: 0 done, 1 failed, 2 usage.")

    @Option(help: "Folder of the base model: weights, config.json, and graph.pt2 where config.json does not do.")
    var base: String
    @Option(name: .customLong("task"), help: "Folder of a task checkpoint with its validation set; once for each task.")
    var tasks: [String] = []
    @Option(help: "Folder to write; it must not exist or be empty.")
    var output: String
    @Option(help: "Folder that keeps the tree of a hierarchical merge, so that the next one fits only what changed.")
    var tree: String?
    @Option(
        help: """
            Output of an earlier merge, or a release: where the tasks start (strategy incremental) and what they are \
            compared with.
            """)
    var previous: String?
    @OptionGroup var options: MergeOptions
    @Flag(help: "Print the content of release.json on standard output.")
    var json = false

    func validate() throws {
        guard !tasks.isEmpty else { throw ValidationError("name at least one --task") }
        let names = tasks.map(Inputs.taskName)
        if let name = names.first(where: { !Inputs.isTaskName($0) }) {
            throw ValidationError(
                "invalid task name '\(name)' (taken from the folder): use 1 to 128 of A-Z a-z 0-9 . _ -, starting with "
                    + "a letter or digit")
        }
        guard Set(names).count == names.count else { throw ValidationError("two tasks have the same folder name") }
    }

    /// The flags' settings; where no method is named, that of tasks without examples if no task has any.
    private var settings: MergeSettings {
        guard !tasks.contains(where: ExampleFiles.areThere) else { return options.settings }
        return options.settings(otherwise: .withoutExamples(keepingFactors: options.settings.writesAdapter))
    }

    private var runsGraph: Bool { MergePlan.runsGraph(base: base, tasks: tasks, settings) }

    func run() throws {
        try Console.reportingFaults {
            do {
                try Console.prepareRuntime(threads: options.settings.threads, runsGraph: runsGraph)
            } catch  where settings.canMergeUnscored {
                // Merged all the same; a note says why nothing was scored.
            }
            let place = try OutputPlace(output)
            let complete: ReleaseRecord
            do {
                complete = try merge(into: place.staging, scratch: place.scratch)
                try place.publish()
            } catch {
                place.discard(keepingFit: Console.failure(error).kind == .environment)
                throw error
            }
            try report(complete)
        }
    }

    private func report(_ complete: ReleaseRecord) throws {
        for note in complete.result.notes { Console.say("supermerge: \(note)") }
        if json {
            Console.print(json: try JSON.encode(complete, pretty: true))
        } else {
            Console.print(ResultTable.text(complete))
        }
    }

    private func merge(into staging: String, scratch: String) throws -> ReleaseRecord {
        let progress = ProgressLine()
        let previous = try previous.map(Inputs.previous)
        let run = MergeRun(try plan(output: staging, scratch: scratch, after: previous)) { progress.show($0) }
        var result = try run.run()
        if !options.isMethodNamed, run.plan.settings.method != .supermerge {
            result.notes.append(
                "no task has examples: merged by \(run.plan.settings.method.rawValue), which needs none; with "
                    + "\(ExampleFiles.tables[0]) in the tasks' folders supermerge fits the merge to them")
        }
        let plan = run.plan
        let record = ReleaseRecord(
            version: 0, created: Console.timestamp(),
            merge: try Self.name(plan.base, plan.tasks, plan.settings, previous?.digest), settings: plan.settings,
            base: plan.base, tasks: plan.tasks, result: result)
        return try ReleaseContents.complete(
            directory: staging, baseDirectory: base, record: record, root: "/")
    }

    private func plan(output: String, scratch: String, after previous: Inputs.Previous?) throws -> MergePlan {
        var inputs = try FolderAdmission.sources(
            base: base, tasks: tasks.map { (Inputs.taskName($0), $0) }, settings: settings,
            reading: runsGraph ? .whole : .sample, encoder: EncodedFolder.encoder(in: scratch + "/examples"))
        inputs.tasks.sort { $0.name < $1.name }
        return MergePlan(
            merge: try Self.name(inputs.base, inputs.tasks, settings, previous?.digest), base: inputs.base,
            tasks: inputs.tasks, settings: settings, deployed: previous?.source, output: output,
            scratch: scratch,
            tree: tree)
    }

    /// The same for the same inputs and settings, so that an interrupted fit goes on and no other one does.
    private static func name(
        _ base: BaseSource, _ tasks: [TaskSource], _ settings: MergeSettings, _ previous: String?
    ) throws -> String {
        var settings = settings
        settings.threads = 0
        let parts =
            [String(decoding: try JSON.encode(settings), as: UTF8.self), base.digest] + (previous.map { [$0] } ?? [])
        let text = (parts + tasks.flatMap { [$0.name, $0.digest] }).joined(separator: "\u{0}")
        return String(Digest.sha256(text.utf8).prefix(12))
    }
}
