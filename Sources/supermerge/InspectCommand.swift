import ArgumentParser
import Files
import Merging
import Tasks
import WorkerProtocol

/// `supermerge inspect`: what a file or folder holds.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model folder, a safetensors file or a graph holds, and whether it can be used.",
        discussion: """
            Of a folder the last line says whether a registry would admit it: as a task where --base is given, where it lies in a \
            registry's tasks, or where it holds what only tasks do; else as a base. It is read for that, as admission does. Exit \
            status 1 where it would be refused.
            """)

    @Argument(help: "A folder, a .safetensors file, or a graph.pt2.")
    var path: String
    @Option(help: "Folder of the base that the folder would be a task of.")
    var base: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Line: Encodable {
        var inspection: Inspection
        var verdict: AdmissionDryRunResult?

        private enum Key: CodingKey { case verdict }

        func encode(to encoder: any Encoder) throws {
            try inspection.encode(to: encoder)
            var values = encoder.container(keyedBy: Key.self)
            try values.encodeIfPresent(verdict, forKey: .verdict)
        }
    }

    func run() throws {
        try Console.reportingFaults {
            let inspection = try Inspection(path: path)
            let isFolder = try FileStatus(path: path, followingLinks: true).kind == .directory
            let verdict = isFolder ? try AdmissionDryRun(path, base: base).verdict() : nil
            if json {
                Console.print(json: try JSON.encode(Line(inspection: inspection, verdict: verdict), pretty: true))
            } else {
                Console.print(inspection.text + (verdict.map { "\n\($0.text)" } ?? ""))
            }
            if verdict?.outcome == .refused { throw ExitCode.failure }
        }
    }
}
