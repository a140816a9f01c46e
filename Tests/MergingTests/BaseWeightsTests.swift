import ExportedGraph
import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// A base whose weights are in its graph's archive.
@Suite(.serialized)
struct BaseWeightsTests {
    private let whole = Fixture.root + "/whole"

    private func plan(in directory: String) throws -> MergePlan {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        plan.settings.holdout = 0.25
        plan.settings.steps = 4
        return plan
    }

    @Test func theArchivesWeightsServeWhereNoSafetensorsStandBesideIt() throws {
        try Fixture.temporarily { directory in
            let expected = try plan(in: directory + "/beside")
            let beside = try MergeRun(expected, report: { _ in }).run()
            var plan = try plan(in: directory + "/inside")
            plan.base.directory = whole
            for index in plan.tasks.indices { plan.tasks[index].settings.head = ["classifier."] }
            let inside = try MergeRun(plan, report: { _ in }).run()
            #expect(inside.tasks == beside.tasks)
            let merged = try ModelFolder(at: plan.output).tensors()
            for (name, content) in try ModelFolder(at: expected.output).tensors() {
                #expect(merged[name]?.bytes == content.bytes, "\(name)")
            }
            #expect(merged["classifier.weight"]?.shape == [3, 16])
        }
    }

    @Test func safetensorsGoBeforeTheArchive() throws {
        try Fixture.temporarily { directory in
            let both = try ModelFolder(whole, copiedTo: directory + "/both")
            try both.write(["classifier.bias": .init([7, 8, 9] as [Float], .f32)])
            #expect(try BaseWeights.open(directory: both.path).names == ["classifier.bias"])
            #expect(try BaseWeights.open(directory: whole).names.count > 30)
        }
    }

    @Test func anArchiveWithoutWeightsIsMissingThem() throws {
        try Fixture.temporarily { directory in
            let bare = try ModelFolder(newAt: directory + "/bare")
            try FileManager.default.copyItem(
                atPath: Fixture.root + "/base/graph.pt2", toPath: bare.path + "/graph.pt2")
            let error = #expect(throws: SafetensorsError.self) { try BaseWeights.open(directory: bare.path) }
            #expect(error?.description.contains("model.safetensors") == true)
        }
    }

    @Test func aShardThatIsMissingIsNotReplacedByTheArchive() throws {
        try Fixture.temporarily { directory in
            let folder = try ModelFolder(whole, copiedTo: directory + "/sharded")
            let index = #"{"weight_map": {"classifier.bias": "model-00001-of-00001.safetensors"}}"#
            try Data(index.utf8).write(to: URL(filePath: folder.path + "/model.safetensors.index.json"))
            #expect(throws: SafetensorsError.self) { try BaseWeights.open(directory: folder.path) }
        }
    }

    @Test(arguments: [
        (#""storage_offset":{"as_int":0}"#, #""storage_offset":{"as_int":9}"#),
        (#""sizes":[{"as_int":3}]"#, #""sizes":[{"as_int":9}]"#),
        (#""strides":[{"as_int":1}]"#, #""strides":[{"as_int":2}]"#),
    ]) func aWeightOutsideItsStorageIsAnError(before: String, after: String) throws {
        try Fixture.temporarily { directory in
            let folder = try ModelFolder(newAt: directory + "/hostile")
            let text = try String(contentsOfFile: whole + "/graph.pt2", encoding: .isoLatin1)
            let name = try #require(text.range(of: #""classifier.bias": {"path_name""#))
            let compact = before.replacing(":", with: ": ")
            let place = try #require(text.range(of: compact, range: name.upperBound..<text.endIndex))
            var changed = text
            changed.replaceSubrange(place, with: after.replacing(":", with: ": "))
            try changed.write(toFile: folder.path + "/graph.pt2", atomically: false, encoding: .isoLatin1)
            #expect(throws: GraphError.self) { try BaseWeights.open(directory: folder.path) }
        }
    }

    @Test func fineTuningBeginsAtTheArchivesWeights() throws {
        try Fixture.temporarily { directory in
            var settings = Finetune.Settings()
            settings.steps = 1
            settings.batch = 12
            settings.learningRate = 1e-9
            settings.weightDecay = 0
            let tuned = directory + "/tuned"
            _ = try Finetune(
                base: whole, data: Fixture.root + "/letters/validation.safetensors", output: tuned, settings: settings
            ).run { _ in }
            let origin = try BaseWeights.open(directory: whole)
            let written = try Checkpoint(directory: tuned)
            for name in origin.names {
                let pairs = zip(try origin.tensor(name).floats(), try written.tensor(name).floats())
                #expect(pairs.allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
            }
        }
    }
}
