import ArgumentParser
import Files
import Foundation
import Merging
import WorkerProtocol

/// `supermerge reproduce`: a release made again from what its record names.
struct Reproduce: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a release again from its recorded inputs and coefficients, and compare the bytes.",
        discussion: "Exit status: 0 the same bytes, 1 other bytes or an input that is gone or changed, 2 usage.")

    @Argument(help: "Folder of the release, with its release.json.")
    var release: String
    @Option(help: "Folder of the base, where it is no longer the recorded one.")
    var base: String?
    @Option(
        name: .customLong("task"),
        help: "Folder of a task, where it is no longer the recorded one; its last part is the task's name.")
    var tasks: [String] = []
    @Option(help: "Folder of kept tasks, each under its digest: tasks/ of a daemon's state directory.")
    var kept: String?
    @Option(help: "Folder with room for a copy of the release; default: the system's for temporary files.")
    var scratch: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Console.reportingFaults {
            let record = try read()
            // Nothing is computed with it, but the versions are compared.
            if record.result.versions["libtorch"] != nil { _ = try? NumericalRuntime.load() }
            let folder = (scratch ?? NSTemporaryDirectory()) + "/supermerge-\(UUID().uuidString)"
            try Durable.createDirectories(folder)
            defer { try? Durable.remove(folder) }
            let places = Dictionary(tasks.map { (Inputs.taskName($0), $0) }) { _, last in last }
            let result = try Reproduction(
                of: record, in: release, base: base, tasks: places, kept: kept, scratch: folder)
            if json {
                Console.print(json: try JSON.encode(result, pretty: true))
            } else {
                Console.print(result.text)
            }
            guard result.outcome == .same else { throw ExitCode.failure }
        }
    }

    /// The release's record, whose names of tasks become names of files.
    private func read() throws -> ReleaseRecord {
        let path = release + "/release.json"
        let bytes = try Durable.contents(path)
        guard let record = try? JSON.decode(ReleaseRecord.self, from: Data(bytes)),
            record.tasks.allSatisfy({ Inputs.isTaskName($0.name) })
        else { throw MergeError(kind: .environment, message: "\(path) is no record of a release; name its folder") }
        return record
    }
}
