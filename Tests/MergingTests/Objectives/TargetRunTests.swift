import Files
import Foundation
import Testing
import WorkerProtocol

@testable import Merging

/// Whole merges of tasks whose labels are tokens or choices.
@Suite(.serialized)
struct TargetRunTests {
    /// A base that is one of the neighbouring tests' models, and a task with noise on its weights and the examples
    /// `data`.
    private func plan(_ model: String, _ data: String, _ settings: TaskSettings, in directory: String) throws
        -> MergePlan
    {
        var merge = try Fixture.settings()
        merge.holdout = 0.3
        merge.steps = 8
        merge.evaluateEvery = 4
        var plan = try Fixture.plan(merge, tasks: [], in: directory)
        let base = try ModelFolder(newAt: directory + "/base")
        for file in ["graph.pt2", "model.safetensors"] {
            try FileManager.default.copyItem(
                atPath: "\(ObjectiveFixture.model(model))/\(file)", toPath: "\(base.path)/\(file)")
        }
        try Data(#"{"decoder_start_token_id": 0, "pad_token_id": 0}"#.utf8).write(
            to: URL(filePath: base.path + "/config.json"))
        let task = try ModelFolder(newAt: directory + "/task")
        var random = SeededRandom(state: 5)
        var tensors = try base.tensors()
        for (name, content) in tensors.sorted(by: { $0.key < $1.key }) {
            let values = content.values(Float.self).map { $0 + 0.1 * random.uniform() }
            tensors[name] = .init(values, .f32, shape: content.shape)
        }
        try task.write(tensors)
        try FileManager.default.copyItem(
            atPath: "\(ObjectiveFixture.root)/\(data).safetensors", toPath: task.path + "/validation.safetensors")
        plan.base = BaseSource(directory: base.path, files: [], digest: "base")
        plan.tasks = [TaskSource(name: "task", directory: task.path, files: [], digest: "task", settings: settings)]
        return plan
    }

    private func run(_ plan: MergePlan) throws -> MergeResult { try MergeRun(plan, report: { _ in }).run() }

    @Test(arguments: [MergeSettings.Loss.labels, .distillation, .both]) func aDecoderIsFitted(loss: MergeSettings.Loss)
        throws
    {
        try Fixture.temporarily { directory in
            var plan = try plan(
                "t5", "sequence-to-sequence", TaskSettings(objective: .sequenceToSequence, metric: .perplexity),
                in: directory)
            plan.settings.loss = loss
            let result = try run(plan)
            let score = try #require(result.tasks[0].merged)
            #expect(score.metric == "perplexity" && abs(score.value - exp(score.loss)) < 1e-9)
            #expect(result.tasks[0].paired == nil)
            #expect(result.curve.last!.loss < result.curve[1].loss, "\(result.curve)")
        }
    }

    @Test(
        arguments: [("t5", "decoder-choices"), ("llama", "causal-choices")],
        [MergeSettings.Loss.labels, .distillation])
    func choicesAreFitted(model: (String, String), loss: MergeSettings.Loss) throws {
        try Fixture.temporarily { directory in
            for isNormalized in [false, true] {
                var plan = try plan(
                    model.0, model.1, TaskSettings(objective: .multipleChoice, normalizesLength: isNormalized),
                    in: directory + "/\(isNormalized)")
                plan.settings.loss = loss
                let result = try run(plan)
                let task = result.tasks[0]
                #expect(task.merged?.metric == "rank-accuracy" && task.merged?.loss.isFinite == true)
                #expect(task.merged?.examples == 1 || task.merged?.examples == 2)
                #expect(result.curve.allSatisfy { $0.heldOut?.isFinite == true && $0.loss.isFinite })
                #expect(result.curve.last!.loss < result.curve[1].loss, "\(result.curve)")
            }
        }
    }

    @Test func choicesWithoutLabelsAreJudgedByAgreement() throws {
        try Fixture.temporarily { directory in
            let plan = try plan("t5", "decoder-choices", TaskSettings(objective: .multipleChoice), in: directory)
            try ModelFolder(at: plan.tasks[0].directory).change("validation.safetensors") { $0["labels"] = nil }
            var unlabelled = plan
            unlabelled.settings.loss = .distillation
            let result = try run(unlabelled)
            #expect(result.tasks[0].own?.value == 1 && result.tasks[0].merged?.metric == "agreement")
            #expect(result.tasks[0].merged?.loss.isFinite == true)
        }
    }

    @Test func faultsNameFileAndExample() throws {
        typealias Change = (inout [String: ModelFolder.Content]) -> Void
        let cases: [(TaskSettings.Objective, String, String, Change)] = [
            (
                .sequenceToSequence, "sequence-to-sequence",
                "example 2 (the first is 0) hold 32, but the vocabulary knows 0 to 31",
                {
                    var labels = $0["labels"]!.values(Int64.self)
                    labels[2 * 5] = 32
                    $0["labels"] = .init(labels, .i64, shape: [6, 5])
                }
            ),
            (
                .sequenceToSequence, "sequence-to-sequence", "every one of the `labels` of example 4",
                {
                    var labels = $0["labels"]!.values(Int64.self)
                    for place in 20..<25 { labels[place] = -100 }
                    $0["labels"] = .init(labels, .i64, shape: [6, 5])
                }
            ),
            (
                .multipleChoice, "decoder-choices", "example 1 (the first is 0) is 4, but there are 4 choices",
                { $0["labels"] = .init([0, 4, 2, 1, 0] as [Int64], .i64) }
            ),
            (
                .multipleChoice, "decoder-choices", "of example 2 (the first is 0) the right choice, 3, has not",
                { $0["labels"] = .init([0, 3, 3, 1, 0] as [Int64], .i64) }
            ),
            (.multipleChoice, "decoder-choices", "no tensor `choices`", { $0["choices"] = nil }),
        ]
        for (objective, data, message, change) in cases {
            try Fixture.temporarily { directory in
                let plan = try plan("t5", data, TaskSettings(objective: objective), in: directory)
                try ModelFolder(at: plan.tasks[0].directory).change("validation.safetensors", change)
                let failure = #expect(throws: MergeError.self) { try run(plan) }
                #expect(failure?.kind == .badTask && failure?.task == "task")
                #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
            }
        }
    }

    @Test func aDecoderNeedsAStart() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(
                "t5", "sequence-to-sequence", TaskSettings(objective: .sequenceToSequence), in: directory)
            try Data("{}".utf8).write(to: URL(filePath: plan.base.directory + "/config.json"))
            let failure = #expect(throws: MergeError.self) { try run(plan) }
            #expect(failure?.message.contains("decoder_start_token_id") == true)
        }
    }

    @Test func aCausalGraphIsNoSequenceToSequence() throws {
        try Fixture.temporarily { directory in
            let plan = try plan(
                "llama", "language-modeling", TaskSettings(objective: .sequenceToSequence), in: directory)
            let failure = #expect(throws: MergeError.self) { try run(plan) }
            #expect(failure?.message.contains("set objective to language-modeling") == true)
        }
    }
}
