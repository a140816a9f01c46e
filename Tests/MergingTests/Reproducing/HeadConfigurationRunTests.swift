import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// What a task's `config.json` says of its head, in a release and when that is made again.
@Suite(.serialized)
struct HeadConfigurationRunTests {
    private static let text = """
        {"architectures": ["ViTForImageClassification"], "hidden_size": 16, "id2label": {"0": "a", "1": "b", "2": "c"}}
        """

    private func files(_ directory: String) throws -> [SourceFile] {
        try Durable.list(directory).map { name in
            let file = try ReadableFile(path: "\(directory)/\(name)", followingLinks: true)
            return SourceFile(
                name: name, bytes: file.size, sha256: try file.sha256(), stamp: try file.identity().description)
        }
    }

    /// A merge of copies of the fixture's tasks, of which `letters` has the configuration.
    private func merge(_ text: String, in directory: String) throws -> (MergePlan, ReleaseRecord) {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        plan.settings.method = .average
        for index in plan.tasks.indices {
            let folder = "\(directory)/\(plan.tasks[index].name)"
            plan.tasks[index].directory = try ModelFolder(plan.tasks[index].directory, copiedTo: folder).path
        }
        try Data(text.utf8).write(to: URL(filePath: directory + "/letters/config.json"))
        plan.base.files = try files(plan.base.directory)
        for index in plan.tasks.indices { plan.tasks[index].files = try files(plan.tasks[index].directory) }
        let result = try MergeRun(plan, report: { _ in }).run()
        let record = ReleaseRecord(
            version: 3, created: "", merge: "m", settings: plan.settings, base: plan.base, tasks: plan.tasks,
            result: result)
        return (plan, record)
    }

    private func reproduce(_ record: ReleaseRecord, _ release: String) throws -> Reproduction {
        try Fixture.temporarily { try Reproduction(of: record, in: release, scratch: $0) }
    }

    @Test func itStandsBesideTheHeadAndComesOutAgain() throws {
        try Fixture.temporarily { directory in
            let (plan, record) = try merge(Self.text, in: directory)
            let name = "heads/letters.json"
            let bytes = try Durable.contents("\(plan.output)/\(name)")
            #expect(HeadConfiguration(bytes)?.labels == ["0": "a", "1": "b", "2": "c"])
            #expect(!String(decoding: bytes, as: UTF8.self).contains("hidden_size"))
            let output = try #require(record.result.outputs.first { $0.name == name })
            #expect(output.sha256 == Digest.sha256(bytes) && output.bytes == Int64(bytes.count))
            #expect(!record.result.outputs.contains { $0.name == "heads/shapes.json" })
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
            #expect(reproduction.outputs.contains { $0.name == name && $0.isSame })
        }
    }

    @Test func withoutItTheReleaseCanNotBeMadeAgain() throws {
        try Fixture.temporarily { directory in
            let (plan, record) = try merge(Self.text, in: directory)
            let path = directory + "/letters/config.json"
            try Data(Self.text.replacing("\"c\"", with: "\"d\"").utf8).write(to: URL(filePath: path))
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .impossible)
            #expect(reproduction.inputs == [.init(of: "letters", path: path, state: .changed, isNeeded: true)])
        }
    }

    @Test func oneThatSaysNothingIsNotNeeded() throws {
        try Fixture.temporarily { directory in
            let (plan, record) = try merge(#"{"model_type": "vit"}"#, in: directory)
            #expect(!record.result.outputs.contains { $0.name.hasSuffix(".json") })
            try Durable.remove(directory + "/letters/config.json")
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .same && reproduction.inputs.map(\.isNeeded) == [false])
        }
    }

    /// Records from before configurations were among the files that went in.
    @Test func aRecordWithoutItComesOutAgainWithoutIt() throws {
        try Fixture.temporarily { directory in
            let (plan, made) = try merge(Self.text, in: directory)
            var record = made
            record.tasks[0].files.removeAll { $0.name == HeadConfiguration.fileName }
            record.result.outputs.removeAll { $0.name == "heads/letters.json" }
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .same, "\(reproduction.text)")
        }
    }

    @Test func oneThatChangesWhileItIsMergedStopsTheMerge() throws {
        try Fixture.temporarily { directory in
            var (plan, _) = try merge(Self.text, in: directory)
            try Data(#"{"num_labels": 4}"#.utf8).write(to: URL(filePath: directory + "/letters/config.json"))
            plan.output = directory + "/again"
            try Durable.createDirectories(plan.output)
            let changed = plan
            let failure = #expect(throws: MergeError.self) { try MergeRun(changed, report: { _ in }).run() }
            #expect(failure?.message.contains("letters/config.json") == true)
        }
    }
}
