import ExportedGraph
import ExportedModel
import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Tasks whose examples have no labels: fitted to their own checkpoints, and judged by the agreement with them.
@Suite(.serialized)
struct UnlabelledTests {
    private static let rule = Objective(kind: .classification, inputs: ["pixel_values"])

    /// The fixture's tasks with their labels removed, or in the place of these what the task's own checkpoint says.
    private func plan(pseudoLabels: Bool = false, in directory: String) throws -> MergePlan {
        var plan = try Fixture.plan(Fixture.settings(), in: directory)
        plan.settings.loss = .distillation
        plan.settings.holdout = 0.5
        let graph = try ExportedModel(ExportedGraph(archive: plan.base.directory + "/graph.pt2"))
        for index in plan.tasks.indices {
            let task = try ModelFolder(
                plan.tasks[index].directory, copiedTo: "\(directory)/\(plan.tasks[index].name)")
            let checkpoint = try Checkpoint(directory: task.path, root: "/")
            let file = try SafetensorsFile(file: ReadableFile(path: task.path + "/validation.safetensors"))
            let entry = try #require(file.entry("pixel_values"))
            let logits = try graph.forward(
                inputs: ["pixel_values": file.tensor(entry)], parameters: checkpoint.parameters(checkpoint.names))
            let guesses = try logits.argmax().integers()
            try task.change("validation.safetensors") {
                $0["labels"] = pseudoLabels ? .init(guesses.map { Int32($0) }, .i32) : nil
            }
            plan.tasks[index].directory = task.path
        }
        return plan
    }

    /// Makes what a plan wrote a release that the next plan is compared with.
    private func deploy(_ plan: MergePlan, _ result: MergeResult) throws -> DeployedSource {
        let record = ReleaseRecord(
            version: 1, created: "", merge: "m", settings: plan.settings, base: plan.base, tasks: plan.tasks,
            result: result)
        try JSON.encode(record).write(to: URL(filePath: plan.output + "/release.json"))
        return try Fixture.deployed(plan.output)
    }

    /// Accuracy against the checkpoint's own predictions is agreement with it: an independent way to the same figures.
    @Test(arguments: [MergeSettings.Strategy.joint, .hierarchical])
    func agreementIsAccuracyAgainstTheCheckpointsPredictions(strategy: MergeSettings.Strategy) throws {
        try Fixture.temporarily { directory in
            func results(pseudoLabels: Bool) throws -> [MergeResult] {
                let folder = "\(directory)/\(pseudoLabels)"
                var first = try plan(pseudoLabels: pseudoLabels, in: folder)
                first.settings.strategy = strategy
                first.settings.steps = 1
                let one = try MergeRun(first, report: { _ in }).run()
                var second = first
                second.deployed = try deploy(first, one)
                second.settings.steps = 8
                second.merge = "second"
                second.output = folder + "/second"
                try Durable.createDirectories(second.output)
                return [one, try MergeRun(second, report: { _ in }).run()]
            }
            let (unlabelled, labelled) = (try results(pseudoLabels: false), try results(pseudoLabels: true))
            for (result, reference) in zip(unlabelled, labelled) {
                #expect(result.outputs == reference.outputs, "labels have no part in distillation")
                #expect(result.curve == reference.curve)
                for (task, expected) in zip(result.tasks, reference.tasks) {
                    #expect(task.own?.value == 1 && task.own?.loss == 0)
                    for score in [\TaskResult.base, \.own, \.deployed, \.merged] {
                        #expect(task[keyPath: score]?.value == expected[keyPath: score]?.value)
                        #expect(task[keyPath: score]?.examples == expected[keyPath: score]?.examples)
                    }
                    #expect(task.merged?.metric == "agreement" && expected.merged?.metric == "accuracy")
                    #expect(task.paired == expected.paired)
                    #expect(task.merged.map { $0.loss > 0 && $0.loss.isFinite } == true)
                }
                #expect(result.notes.contains { $0.contains("agreement") && $0.contains("letters, shapes") })
                #expect(reference.notes.isEmpty)
            }
            #expect(unlabelled[1].tasks.allSatisfy { $0.deployed != nil && $0.paired != nil })
        }
    }

    @Test func aTaskWithLabelsBesideOneWithoutKeepsItsAccuracy() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            plan.tasks[0].directory = Fixture.root + "/letters"
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks.map { $0.merged?.metric } == ["accuracy", "agreement"])
            #expect(result.notes == ["judged by agreement with its own checkpoint: shapes"])
        }
    }

    @Test(arguments: [MergeSettings.Loss.labels, .both]) func aLossThatNeedsLabelsSaysSo(loss: MergeSettings.Loss)
        throws
    {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            plan.settings.loss = loss
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "letters")
            for word in ["labels", "the configured loss", "distillation"] {
                #expect(failure?.message.contains(word) == true, "\(String(describing: failure))")
            }
        }
    }

    @Test(arguments: [MergeSettings.Method.adamerging, .taskArithmetic, .ties])
    func otherMethodsNeedNoLabels(method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            plan.settings.method = method
            plan.settings.loss = .labels
            plan.settings.searchesScale = !method.isLearned
            let result = try MergeRun(plan, report: { _ in }).run()
            #expect(result.tasks.allSatisfy { $0.own?.value == 1 && $0.merged?.metric == "agreement" })
            if plan.settings.searchesScale { #expect(result.notes.contains { $0.contains("was the best") }) }
        }
    }

    @Test func aRegressionAgreesByCorrelation() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory)
            for index in plan.tasks.indices { plan.tasks[index].settings.objective = .regression }
            let result = try MergeRun(plan, report: { _ in }).run()
            for task in result.tasks {
                #expect(task.own?.value == 1 && task.own?.loss == 0)
                #expect(task.merged.map { $0.metric == "agreement" && $0.value < 1 && $0.loss > 0 } == true)
                #expect(task.paired == nil)
            }
        }
    }

    @Test func aLanguageModelAgreesByTokens() throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            try fixture.task.change("validation.safetensors") {
                $0["labels"] = nil
                let mask = (0..<72).map { Int64($0 % 6 < 4 ? 1 : 0) }
                $0["attention_mask"] = .init(mask, .i64, shape: [12, 6])
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(fixture.plan, report: { _ in }).run() }
            #expect(failure?.message.contains("language-modeling") == true)
            fixture.plan.settings.loss = .distillation
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            let task = result.tasks[0]
            #expect(task.own?.value == 1 && task.own?.loss == 0 && task.merged?.metric == "agreement")
            fixture.plan.settings.method = .average
            fixture.plan.output = directory + "/average"
            try Durable.createDirectories(fixture.plan.output)
            let average = try MergeRun(fixture.plan, report: { _ in }).run().tasks[0]
            #expect(average.own?.value == 1 && average.merged?.value == 1, "the average of one is that one")
            // Three held-out sequences, of which tokens 1, 2 and 3 are predicted.
            let tokens = try #require(task.merged).value * 9
            #expect(abs(tokens - tokens.rounded()) < 1e-9)
        }
    }

    @Test func whatStandsInForLabelsLeavesOnlyPaddingOut() throws {
        let causal = Objective(kind: .languageModeling, inputs: ["input_ids", "attention_mask"])
        let logits = try Tensor.zeros([2, 3, 5])
        let mask = try Tensor([1, 1, 0, 1, 1, 1] as [Int64], shape: [2, 3])
        let labels = try causal.labels(nil, for: logits, ["attention_mask": mask])
        #expect(try labels.integers() == [0, 0, -100, 0, 0, 0])
        #expect(try causal.scored(logits, labels) == 3)
        let decoder = Objective(kind: .languageModeling, inputs: ["input_ids", "attention_mask", "decoder_input_ids"])
        #expect(try decoder.labels(nil, for: logits, ["attention_mask": mask]).integers() == [0, 0, 0, 0, 0, 0])
        #expect(try Self.rule.labels(nil, for: .zeros([4, 3]), [:]).shape == [4])
        #expect(try Self.rule.labels(mask, for: logits, [:]) === mask)
        let nothing = try Tensor([Int64](repeating: 0, count: 6), shape: [2, 3])
        #expect(try causal.scored(logits, causal.labels(nil, for: logits, ["attention_mask": nothing])) == 0)
    }

    /// KL(own checkpoint ‖ base with its head) in nats for each example of the first task, from the logits alone.
    private func divergence(_ plan: MergePlan) throws -> Double {
        let task = plan.tasks[0].directory
        let graph = try ExportedModel(ExportedGraph(archive: plan.base.directory + "/graph.pt2"))
        let file = try SafetensorsFile(file: ReadableFile(path: task + "/validation.safetensors"))
        let pixels = try file.tensor(#require(file.entry("pixel_values")))
        let (own, base) = (
            try Checkpoint(directory: task, root: "/"), try Checkpoint(directory: plan.base.directory, root: "/")
        )
        let parameters = try own.parameters(own.names)
        let trunk = try base.parameters(base.names)
        func logarithms(_ parameters: [String: Tensor]) throws -> [[Double]] {
            let logits = try graph.forward(inputs: ["pixel_values": pixels], parameters: parameters)
            let (values, classes) = (try logits.doubles(), logits.shape[1])
            return stride(from: 0, to: values.count, by: classes).map { start in
                let row = values[start..<start + classes]
                let sum = log(row.map(exp).reduce(0, +))
                return row.map { $0 - sum }
            }
        }
        let rows = zip(try logarithms(parameters), try logarithms(parameters.merging(trunk) { $1 }))
        let sums = rows.map { wanted, given in zip(wanted, given).map { exp($0) * ($0 - $1) }.reduce(0, +) }
        return sums.reduce(0, +) / Double(sums.count)
    }

    @Test func evaluationWithoutLabelsNeedsTheTasksCheckpoint() throws {
        try Fixture.temporarily { directory in
            let (plan, labelled) = (
                try plan(in: directory + "/none"), try plan(pseudoLabels: true, in: directory + "/own")
            )
            func score(_ plan: MergePlan, model: String? = nil) throws -> Score {
                let task = plan.tasks[0].directory
                return try Evaluation(
                    model: model ?? task, task: task, settings: TaskSettings(), base: plan.base.directory
                ).score()
            }
            #expect(try score(plan) == Score(examples: 12, loss: 0, metric: "agreement", value: 1))
            let (base, expected) = (
                try score(plan, model: plan.base.directory), try score(labelled, model: plan.base.directory)
            )
            #expect(base.metric == "agreement" && base.value == expected.value)
            #expect(abs(try divergence(plan) - base.loss) < 1e-5)
            try Durable.remove(plan.tasks[0].directory + "/model.safetensors")
            let failure = #expect(throws: MergeError.self) { try score(plan, model: labelled.tasks[0].directory) }
            #expect(failure?.message.contains("no labels") == true)
        }
    }
}
