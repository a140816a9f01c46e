import Foundation
import Releases
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// What is released is what transformers loads by the lines of its model card: the same logits, for every family, half
/// of them in shards, one with other numbers of classes in its two tasks than its base has.
@Suite struct RoundTripTests {
    /// A Python that has transformers.
    private static let python =
        ([ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"]].compactMap(\.self)
        + ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/venv/bin/python3"])
        .first { path in
            FileManager.default.isExecutableFile(atPath: path)
                && (try? RoundTripTests.run(path, ["-c", "import transformers, safetensors.torch"]).status) == 0
        }

    private static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test(.enabled(if: python != nil, "no Python with transformers")) func transformersGivesTheSameLogits() throws {
        try Fixture.temporarily { directory in
            let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Tools/check_release.py").path
            var arguments = [script]
            for (place, family) in ArchitectureFixture.families.enumerated() {
                var settings = try ArchitectureFixture.settings()
                settings.steps = 2
                if !place.isMultiple(of: 2) { settings.maxShardSize = 4000 }
                let fixture = try ArchitectureFixture(family, in: "\(directory)/\(family)", settings: settings)
                let record = ReleaseRecord(
                    version: 0, created: "", merge: family, settings: settings, base: fixture.plan.base,
                    tasks: fixture.plan.tasks, result: try fixture.run())
                let output = fixture.plan.output
                let index = output + "/model.safetensors.index.json"
                #expect(FileManager.default.fileExists(atPath: index) == !place.isMultiple(of: 2), "\(family)")
                try ReleaseContents.complete(directory: output, baseDirectory: fixture.base.path, record: record)
                for task in fixture.plan.tasks {
                    let logits = try fixture.logits(ofTask: task.name)
                    let folder = ModelFolder(at: "\(directory)/\(family)/\(task.name)")
                    try folder.write(
                        ["logits": .init(logits.contiguous().floats(), .f32, shape: logits.shape)],
                        to: "logits.safetensors")
                    arguments += [output, task.name, folder.path + "/validation.safetensors"]
                    arguments.append(folder.path + "/logits.safetensors")
                }
            }
            let run = try Self.run(try #require(Self.python), arguments)
            #expect(run.status == 0, "\(run.output)")
            let lines = run.output.split(separator: "\n").filter { $0.hasPrefix("difference ") }
            let differences = lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
            #expect(differences.count == 2 * ArchitectureFixture.families.count, "\(run.output)")
            #expect(differences.allSatisfy { $0 < 1e-5 }, "\(run.output)")
        }
    }
}
