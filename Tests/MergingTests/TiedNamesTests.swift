import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Tensors that have several names: what is scored is what servers load.
@Suite(.serialized)
struct TiedNamesTests {
    private let embedding = LanguageFixture.embedding
    private let output = LanguageFixture.output

    @Test(arguments: [true, false]) func aTaskMaySaveATiedTensorUnderAnyOfItsNames(both: Bool) throws {
        try Fixture.temporarily { directory in
            let plain = try LanguageFixture(in: directory + "/plain")
            let expected = try MergeRun(plain.plan, report: { _ in }).run()
            let fixture = try LanguageFixture(in: directory + "/tied")
            try fixture.task.change {
                $0[output] = $0[embedding]
                if !both { $0[embedding] = nil }
            }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            #expect(result.tasks == expected.tasks)
            #expect(result.outputs == expected.outputs)
            #expect(!FileManager.default.fileExists(atPath: fixture.plan.output + "/heads/poems.safetensors"))
            #expect(try Checkpoint(directory: fixture.plan.output).entry(output) == nil)
        }
    }

    @Test func everyNameInTheBaseGetsTheSameBytes() throws {
        try Fixture.temporarily { directory in
            let plain = try LanguageFixture(in: directory + "/plain")
            let expected = try MergeRun(plain.plan, report: { _ in }).run()
            let fixture = try LanguageFixture(in: directory + "/tied")
            try fixture.base.change { $0[output] = $0[embedding] }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            #expect(result.tasks == expected.tasks)
            #expect(result.weights == expected.weights)
            let merged = try Checkpoint(directory: fixture.plan.output)
            let alone = try Checkpoint(directory: plain.plan.output).tensor(embedding).floats()
            #expect(try merged.tensor(embedding).floats() == alone)
            #expect(try merged.tensor(output).floats() == alone)
            #expect(alone != (try fixture.base.tensors()[embedding]?.values(Float.self)))
        }
    }

    /// A release would hold one of the two, and the other would be lost without a word.
    @Test(arguments: [true, false]) func twoNamesWithDifferentValuesAreRefused(inBase: Bool) throws {
        try Fixture.temporarily { directory in
            let fixture = try LanguageFixture(in: directory)
            try (inBase ? fixture.base : fixture.task).change { tensors in
                let content = try #require(tensors[embedding])
                let values = content.values(Float.self)
                tensors[output] = .init(Array(values.dropLast()) + [9], .f32, shape: content.shape)
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(fixture.plan, report: { _ in }).run() }
            #expect(failure?.kind == (inBase ? .badBase : .badTask) && failure?.task == (inBase ? nil : "poems"))
            #expect(failure?.message.contains(embedding) == true && failure?.message.contains(output) == true)
        }
    }

    @Test func withoutAGraphTheConfigurationTellsTheTies() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.method = .average
            try Durable.remove(fixture.base.path + "/graph.pt2")
            let text = #"{"model_type": "other", "architectures": ["OtherForCausalLM"], "tie_word_embeddings": true}"#
            try Data(text.utf8).write(to: URL(filePath: fixture.base.path + "/config.json"))
            try fixture.task.change { $0[output] = $0[embedding] }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            #expect(!result.outputs.contains { $0.name == "heads/poems.safetensors" })
            try fixture.task.change { $0[output] = $0["model.norm.weight"] }
            let failure = #expect(throws: MergeError.self) { try MergeRun(fixture.plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.message.contains(output) == true)
        }
    }

    @Test func namesOfOneTensorInTwoShapesAreTheBasesFault() throws {
        try Fixture.temporarily { directory in
            let fixture = try LanguageFixture(in: directory)
            try fixture.base.change { $0[output] = .init([Float](repeating: 0, count: 16), .f32, shape: [1, 16]) }
            let failure = #expect(throws: MergeError.self) { try MergeRun(fixture.plan, report: { _ in }).run() }
            #expect(failure?.kind == .badBase && failure?.message.contains(output) == true)
        }
    }

    @Test func aHeadNamedByOneNameIsTheWholeTensor() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.tasks[0].settings.head = ["lm_head."]
            fixture.plan.settings.holdout = 0
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            let merged = try Checkpoint(directory: fixture.plan.output)
            #expect(try merged.tensor(embedding).floats() == fixture.base.tensors()[embedding]?.values(Float.self))
            #expect(result.outputs.contains { $0.name == "heads/poems.safetensors" })
            let score = try Evaluation(
                model: fixture.plan.output, task: fixture.task.path, settings: fixture.plan.tasks[0].settings,
                base: fixture.base.path
            ).score()
            let scored = try #require(result.tasks[0].merged)
            #expect(abs(score.loss - scored.loss) < 1e-6)
        }
    }

    @Test func aReleaseIsEvaluatedAsItWasScored() throws {
        try Fixture.temporarily { directory in
            let fixture = try LanguageFixture(in: directory)
            try fixture.task.change { $0[output] = $0[embedding] }
            var plan = fixture.plan
            plan.settings.holdout = 0
            let result = try MergeRun(plan, report: { _ in }).run()
            let score = try Evaluation(
                model: plan.output, task: fixture.task.path, settings: plan.tasks[0].settings, base: fixture.base.path
            ).score()
            let merged = try #require(result.tasks[0].merged)
            #expect(abs(score.loss - merged.loss) < 1e-6 && score.examples == merged.examples)
        }
    }
}
