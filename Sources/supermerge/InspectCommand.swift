import ArgumentParser
import Examples
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
        var examples: [ExamplePreview]?

        private enum Key: CodingKey { case verdict, examples }

        func encode(to encoder: any Encoder) throws {
            try inspection.encode(to: encoder)
            var values = encoder.container(keyedBy: Key.self)
            try values.encodeIfPresent(verdict, forKey: .verdict)
            try values.encodeIfPresent(examples, forKey: .examples)
        }
    }

    func run() throws {
        try Console.reportingFaults {
            let inspection = try Inspection(path: path)
            let isFolder = try FileStatus(path: path, followingLinks: true).kind == .directory
            let (verdict, examples) = isFolder ? try judge() : (nil, [])
            if json {
                let line = Line(
                    inspection: inspection, verdict: verdict, examples: examples.isEmpty ? nil : examples)
                Console.print(json: try JSON.encode(line, pretty: true))
            } else {
                let lines = examples.map { "  example: \($0.text)" } + [verdict?.text].compactMap(\.self)
                Console.print(([inspection.text] + lines).joined(separator: "\n"))
            }
            if verdict?.outcome == .refused { throw ExitCode.failure }
        }
    }

    /// The verdict on the folder, and the first examples of a task that would be admitted.
    private func judge() throws -> (AdmissionDryRunResult, [ExamplePreview]) {
        try EncodedFolder.temporary { encoder in
            let verdict = try AdmissionDryRun(path, base: base, encoder: encoder).verdict()
            guard let task = verdict.task, let base = verdict.base else { return (verdict, []) }
            return (verdict, EncodedFolder.preview(task, base: base))
        }
    }
}
