import Files
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Whole merges of tasks that are no classification, and of models in half precision.
@Suite(.serialized)
struct ObjectiveRunTests {
    @Test(arguments: MergeSettings.Loss.allCases, MergeSettings.Granularity.allCases)
    func aLanguageModelIsFitted(loss: MergeSettings.Loss, granularity: MergeSettings.Granularity) throws {
        try Fixture.temporarily { directory in
            var fixture = try LanguageFixture(in: directory)
            fixture.plan.settings.loss = loss
            fixture.plan.settings.granularity = granularity
            fixture.plan.settings.steps = 12
            fixture.plan.settings.evaluateEvery = 4
            try fixture.task.change("validation.safetensors") {
                var labels = $0["labels"]!.values(Int64.self)
                for index in labels.indices where index % 6 > 3 { labels[index] = -100 }
                $0["labels"] = .init(labels, .i64, shape: [12, 6])
            }
            let result = try MergeRun(fixture.plan, report: { _ in }).run()
            // All examples are in every step; random labels can be fitted, and no more.
            let losses = result.curve.dropFirst().map(\.loss)
            #expect(losses.count == 3 && losses.last! < losses.first!, "\(losses)")
            #expect(result.curve.allSatisfy { $0.heldOut?.isFinite == true })
            #expect(result.tasks[0].merged?.metric == "token-accuracy")
            #expect(result.tasks[0].merged?.examples == 3)
        }
    }

    /// The fixture's `shapes` with a head of `outputs` numbers.
    private func regression(outputs: Int, in directory: String) throws -> MergePlan {
        var plan = try Fixture.plan(Fixture.settings(), tasks: ["shapes"], in: directory)
        plan.settings.holdout = 0.3
        let task = try ModelFolder(plan.tasks[0].directory, copiedTo: directory + "/shapes")
        try task.change {
            let weights = $0["classifier.weight"]!.values(Float.self).prefix(16 * outputs)
            $0["classifier.weight"] = .init(Array(weights), .f32, shape: [outputs, 16])
            $0["classifier.bias"] = .init([Float](repeating: 0, count: outputs), .f32)
        }
        try task.change("validation.safetensors") {
            var random = SeededRandom(state: 8)
            $0["labels"] = .init((0..<10).map { _ in random.uniform() }, .f32)
        }
        plan.tasks[0].directory = task.path
        plan.tasks[0].settings.objective = .regression
        return plan
    }

    @Test(arguments: [MergeSettings.Loss.labels, .distillation]) func aRegressionIsFitted(loss: MergeSettings.Loss)
        throws
    {
        try Fixture.temporarily { directory in
            var plan = try regression(outputs: 1, in: directory)
            plan.settings.loss = loss
            plan.settings.learningRate = 0.005
            let result = try MergeRun(plan, report: { _ in }).run()
            let merged = try #require(result.tasks[0].merged)
            #expect(merged.metric == "pearson" && abs(merged.value) <= 1 && merged.loss.isFinite)
            #expect(result.tasks[0].paired == nil)
            #expect(result.curve.last!.loss < result.curve[1].loss, "\(result.curve)")
        }
    }

    /// In thousandths of the unit the same regression weighs the same beside a classification: a head 1,000 times as
    /// large, with labels to match, gets the same weights.
    @Test(arguments: [MergeSettings.Loss.labels, .distillation, .both])
    func theUnitOfARegressionDecidesNothing(loss: MergeSettings.Loss) throws {
        func coefficients(unit: Float, in directory: String) throws -> MergeResult {
            var plan = try regression(outputs: 1, in: directory)
            plan.tasks += try Fixture.plan(Fixture.settings(), tasks: ["letters"], in: directory).tasks
            plan.settings.loss = loss
            let task = ModelFolder(at: plan.tasks[0].directory)
            try task.change {
                for name in ["classifier.weight", "classifier.bias"] {
                    let content = $0[name]!
                    $0[name] = .init(content.values(Float.self).map { $0 * unit }, .f32, shape: content.shape)
                }
            }
            try task.change("validation.safetensors") {
                $0["labels"] = .init($0["labels"]!.values(Float.self).map { $0 * unit }, .f32)
            }
            return try MergeRun(plan, report: { _ in }).run()
        }
        try Fixture.temporarily { directory in
            let one = try coefficients(unit: 1, in: directory + "/one")
            let thousand = try coefficients(unit: 1024, in: directory + "/thousand")
            #expect(one.bestStep > 0 && one.coefficients == thousand.coefficients)
            let losses = try [one, thousand].map { try #require($0.tasks[0].merged).loss }
            #expect(abs(losses[1] / losses[0] - 1024 * 1024) < 1)
        }
    }

    @Test func aRegressionWithSeveralOutputsIsNotScoredAgainstOneLabel() throws {
        try Fixture.temporarily { directory in
            let plan = try regression(outputs: 2, in: directory)
            let failure = #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "shapes")
            #expect(failure?.message.contains("one label") == true)
        }
    }

    @Test(arguments: [SafetensorsDTypeCase.bf16, .f16, .f64]) func aBaseOfAnotherPrecisionIsMergedInIt(
        type: SafetensorsDTypeCase
    ) throws {
        try Fixture.temporarily { directory in
            let exact = try MergeRun(Fixture.plan(Fixture.settings(), in: directory + "/f32"), report: { _ in }).run()
            var plan = try Fixture.plan(Fixture.settings(), in: directory + "/other")
            func convert(_ source: String, _ name: String) throws -> String {
                let folder = try ModelFolder(source, copiedTo: directory + "/" + name)
                try folder.change { tensors in
                    for (name, content) in tensors {
                        let values = content.values(Float.self)
                        tensors[name] = try type.content(values, shape: content.shape)
                    }
                }
                return folder.path
            }
            plan.base.directory = try convert(plan.base.directory, "base")
            for index in plan.tasks.indices {
                plan.tasks[index].directory = try convert(plan.tasks[index].directory, plan.tasks[index].name)
            }
            let result = try MergeRun(plan, report: { _ in }).run()
            let written = try ModelFolder(at: plan.output).tensors()
            #expect(written.values.allSatisfy { $0.dtype == type.dtype })
            for (task, reference) in zip(result.tasks, exact.tasks) {
                let (loss, wanted) = (try #require(task.merged).loss, try #require(reference.merged).loss)
                #expect(abs(loss - wanted) < type.tolerance * max(1, wanted), "\(loss), f32 \(wanted)")
            }
        }
    }
}
