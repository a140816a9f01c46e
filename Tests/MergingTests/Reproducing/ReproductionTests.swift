import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Releases that are made again from their records.
@Suite(.serialized)
struct ReproductionTests {
    /// Merges, and gives the record of what lies in the plan's output directory.
    private func release(_ plan: MergePlan) throws -> ReleaseRecord {
        try RecordedRelease.record(plan, MergeRun(plan, report: { _ in }).run())
    }

    private func reproduce(_ record: ReleaseRecord, _ release: String, kept: String? = nil) throws -> Reproduction {
        try RecordedRelease.reproduce(record, release, kept: kept)
    }

    private func expectSame(_ plan: MergePlan, at location: SourceLocation = #_sourceLocation) throws {
        let record = try release(plan)
        let reproduction = try reproduce(record, plan.output)
        #expect(reproduction.outcome == .same, "\(reproduction.text)", sourceLocation: location)
        #expect(reproduction.inputs.isEmpty && reproduction.versions.isEmpty, sourceLocation: location)
        #expect(Set(reproduction.outputs.map(\.name)) == Set(record.result.outputs.map(\.name)))
        #expect(reproduction.outputs.contains { $0.name.hasPrefix("model") })
    }

    @Test(arguments: MergeSettings.Granularity.allCases, [MergeSettings.Method.supermerge, .adamerging])
    func whatWasLearnedComesOutAgain(granularity: MergeSettings.Granularity, method: MergeSettings.Method) throws {
        guard method == .supermerge || granularity != .rowColumn else { return }
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            (plan.settings.granularity, plan.settings.method) = (granularity, method)
            plan.settings.loss = .distillation
            plan.settings.steps = 3
            try expectSame(plan)
        }
    }

    @Test(arguments: MergeSettings.Method.allCases.filter { !$0.isLearned }, [nil, 0.37])
    func whatNeededNoLearningComesOutAgain(method: MergeSettings.Method, density: Double?) throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            (plan.settings.method, plan.settings.density, plan.settings.seed) = (method, density, 91)
            plan.settings.searchesScale = density == nil
            plan.settings.scale = 0.7
            try expectSame(plan)
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .rowColumn])
    func aTreeComesOutAgain(granularity: MergeSettings.Granularity) throws {
        try Fixture.temporarily { directory in
            let fixture = try TreeFixture(in: directory)
            var settings = try fixture.settings()
            settings.granularity = granularity
            try expectSame(fixture.plan(into: "one", settings))
        }
    }

    @Test(arguments: [SafetensorsDTypeCase.bf16, .f64]) func aBaseOfAnotherPrecisionComesOutAgain(
        type: SafetensorsDTypeCase
    ) throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.granularity = .rowColumn
            plan.settings.steps = 2
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            let still = try ModelFolder(plan.tasks[0].directory, copiedTo: directory + "/letters")
            try base.change { tensors in
                for (name, content) in tensors {
                    tensors[name] = try type.content(content.values(Float.self), shape: content.shape)
                }
            }
            // A layer that no task moves is copied, whatever its type.
            let origin = try #require(try base.tensors()["vit.embeddings.cls_token"])
            try still.change { $0["vit.embeddings.cls_token"] = origin }
            plan.base.directory = base.path
            plan.tasks[0].directory = still.path
            try expectSame(plan)
        }
    }

    @Test(arguments: [MergeSettings.Method.average, .supermerge]) func shardsComeOutAgain(method: MergeSettings.Method)
        throws
    {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            (plan.settings.method, plan.settings.steps, plan.settings.maxShardSize) = (method, 1, 5000)
            try expectSame(plan)
            let shards = try Durable.list(plan.output).filter { $0.hasPrefix("model-") }
            #expect(shards.count > 2)
        }
    }

    @Test(arguments: [0, -1, .min] as [Int64]) func aRecordedLimitThatHoldsNothingIsAnError(size: Int64) throws {
        try tamper { record, plan, directory in
            var record = record
            record.settings.maxShardSize = size
            let error = #expect(throws: (any Error).self) { try reproduce(record, plan.output) }
            #expect("\(error!)".contains("\(size) bytes"))
        }
    }

    @Test func aBaseTensorThatIsCalledAsGainsAreComesOutAgain() throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.granularity = .rowColumn
            plan.settings.steps = 2
            let base = try ModelFolder(plan.base.directory, copiedTo: directory + "/base")
            let layer = "vit.layers.0.mlp.fc1.weight"
            let shape = try #require(try base.tensors()[layer]).shape
            let spare = ModelFolder.Content([Float](repeating: 0.5, count: shape.reduce(1, *)), .f32, shape: shape)
            try base.change { tensors in
                for name in [layer + ":columns", layer + ":columns:columns"] { tensors[name] = spare }
            }
            plan.base.directory = base.path
            try expectSame(plan)
            let release = ModelFolder(at: plan.output)
            #expect(try release.tensors()[layer + ":columns"]?.bytes == spare.bytes)
            let coefficients = try release.tensors("merge/coefficients.safetensors")
            #expect(
                coefficients[layer + ":columns"]?.shape == [2, shape[0]],
                "the coefficients of the rows of the spare one")
            #expect(coefficients[layer + ":columns:columns:columns"]?.shape == [2, shape[1]])
        }
    }

    /// A release of copies of the fixture's folders, to be tampered with.
    private func tamper(
        _ body: (_ record: ReleaseRecord, _ plan: MergePlan, _ directory: String) throws -> Void
    ) throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.steps = 1
            plan.base.directory = try ModelFolder(plan.base.directory, copiedTo: directory + "/base").path
            for index in plan.tasks.indices {
                let name = plan.tasks[index].name
                plan.tasks[index].directory =
                    try ModelFolder(plan.tasks[index].directory, copiedTo: "\(directory)/\(name)").path
            }
            try body(release(plan), plan, directory)
        }
    }

    private func flip(_ path: String) throws {
        var bytes = try Durable.contents(path, limit: 1 << 30)
        bytes[bytes.count - 2] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
    }

    @Test func anInputThatChangedOrWentIsNamed() throws {
        try tamper { record, plan, directory in
            try flip(directory + "/shapes/model.safetensors")
            try Durable.remove(directory + "/base/graph.pt2")
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .impossible && reproduction.outputs.isEmpty)
            #expect(
                reproduction.inputs == [
                    .init(of: "base", path: directory + "/base/graph.pt2", state: .gone, isNeeded: true),
                    .init(of: "shapes", path: directory + "/shapes/model.safetensors", state: .changed, isNeeded: true),
                ])
            #expect(reproduction.text.contains("task shapes: \(directory)/shapes/model.safetensors is changed"))
        }
    }

    @Test func examplesHaveNoPartInTheBytes() throws {
        try tamper { record, plan, directory in
            try flip(directory + "/shapes/validation.safetensors")
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .same)
            #expect(reproduction.inputs.map(\.isNeeded) == [false])
        }
    }

    @Test func whatIsKeptStandsInForWhatIsGone() throws {
        try tamper { record, plan, directory in
            try Durable.createDirectories(directory + "/kept")
            let kept = "\(directory)/kept/\(record.tasks[1].digest)"
            try FileManager.default.moveItem(atPath: directory + "/shapes", toPath: kept)
            #expect(try reproduce(record, plan.output).outcome == .impossible)
            #expect(try reproduce(record, plan.output, kept: directory + "/kept").outcome == .same)
            try Fixture.temporarily { scratch in
                let found = try Reproduction(
                    of: record, in: plan.output, tasks: ["shapes": kept], scratch: scratch)
                #expect(found.outcome == .same)
            }
        }
    }

    @Test(arguments: ["model.safetensors", "merge/coefficients.safetensors", "heads/letters.safetensors"])
    func aFileOfTheReleaseThatChangedIsNamed(name: String) throws {
        try tamper { record, plan, _ in
            try flip("\(plan.output)/\(name)")
            let reproduction = try reproduce(record, plan.output)
            #expect(reproduction.outcome == .different)
            let wrong = Set(reproduction.outputs.filter { !$0.isSame }.map(\.name))
            #expect(wrong.contains(name))
            #expect(name.hasPrefix("merge/") || wrong == [name], "\(reproduction.text)")
            #expect(reproduction.text.contains("not the same bytes"))
        }
    }

    @Test func coefficientsOfOtherTasksAreSaidToBeThat() throws {
        try tamper { record, plan, directory in
            var one = plan
            one.tasks.removeLast()
            one.output = directory + "/one"
            try Durable.createDirectories(one.output)
            _ = try MergeRun(one, report: { _ in }).run()
            let failure = #expect(throws: MergeError.self) { try reproduce(record, one.output) }
            #expect(failure?.message.contains("2 tasks") == true)
        }
    }
}
