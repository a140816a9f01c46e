import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Steps over adapters whose gradients are not formed.
struct FactoredFitTests {
    /// A fit over folders of the fixture's adapters, at its start or where another stopped.
    private func fit(
        _ folders: [String], _ settings: MergeSettings, in directory: String, from state: FitState? = nil
    ) throws -> CoefficientFit {
        var plan = try Fixture.plan(settings, tasks: folders, in: directory)
        for index in plan.tasks.indices {
            let folder = plan.tasks[index].name
            plan.tasks[index].name = "task-\(index)"
            plan.tasks[index].directory =
                folder.hasPrefix("/") ? folder : "\(AdapterFixture.root)/\(folder)"
        }
        let context = try MergeContext(plan)
        let evaluation = try #require(context.evaluation)
        try context.vectors.findZeros { _ in }
        let weights = MergingWeights(
            method: plan.settings.method, taskCount: context.tasks.count, layers: context.layers,
            scale: plan.settings.scale, squash: plan.settings.squash)
        return try CoefficientFit(
            context, evaluation, ModelParameters(layers: context.layers), state: state ?? FitState(weights),
            teachers: context.tasks.map { _ in nil })
    }

    /// The layers that the fits have in common, from the weights' gradients of the first step.
    private func expectTheSameGradient(_ own: CoefficientFit, _ other: CoefficientFit, within limit: Double) {
        for (index, layer) in own.context.layers.enumerated() {
            for task in own.context.tasks.indices where own.context.vectors.active[task][index] {
                let gradients = [own, other].map { fit in
                    let weights = fit.state.weights
                    return fit.state.optimizer.firstMoments[
                        weights.range(task: task, layer: index)
                            .lowerBound..<weights.columnRange(
                                task: task, layer: index
                            ).upperBound]
                }
                #expect(
                    AdapterFixture.distance(Array(gradients[0]), Array(gradients[1])) < limit, "\(layer.name)")
            }
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .row, .rowColumn])
    func gradientsAreThoseOfTheFoldedCheckpoint(_ granularity: MergeSettings.Granularity) throws {
        var settings = try Fixture.settings()
        settings.granularity = granularity
        try Fixture.temporarily { directory in
            let fits = try ["vit/letters", "folded/letters"].map {
                try fit([$0], settings, in: "\(directory)/\($0)")
            }
            #expect(!fits[0].factored.isEmpty && fits[1].factored.isEmpty)
            let losses = try fits.map { try $0.step() }
            #expect((losses[0] - losses[1]).magnitude < 1e-5)
            expectTheSameGradient(fits[0], fits[1], within: 1e-4)
            let next = try fits.map { try $0.step() }
            #expect((next[0] - next[1]).magnitude < 1e-3)
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .rowColumn])
    func severalTasksAddUp(_ granularity: MergeSettings.Granularity) throws {
        var settings = try Fixture.settings()
        settings.granularity = granularity
        try Fixture.temporarily { directory in
            let fits = try ["vit", "folded"].map { folder in
                try fit(
                    ["letters", "shapes", "letters"].map { "\(folder)/\($0)" }, settings,
                    in: "\(directory)/\(folder)")
            }
            let losses = try fits.map { try $0.step() }
            #expect((losses[0] - losses[1]).magnitude < 1e-5)
            expectTheSameGradient(fits[0], fits[1], within: 1e-4)
        }
    }

    @Test func inBFloat16TheGradientIsFormed() throws {
        var settings = try Fixture.settings()
        settings.precision = .bf16
        try Fixture.temporarily { directory in
            let fits = try ["vit/letters", "folded/letters"].map {
                try fit([$0], settings, in: "\(directory)/\($0)")
            }
            let losses = try fits.map { try $0.step() }
            #expect((losses[0] - losses[1]).magnitude < 1e-2)
            expectTheSameGradient(fits[0], fits[1], within: 0.2)
        }
    }

    @Test func theSameFitGivesTheSameBytes() throws {
        try Fixture.temporarily { directory in
            let values = try (0..<2).map { run in
                let fit = try fit(["vit/letters"], Fixture.settings(), in: "\(directory)/\(run)")
                for _ in 0..<3 { _ = try fit.step() }
                return fit.state.weights.values
            }
            #expect(values[0] == values[1])
        }
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .rowColumn])
    func aFitThatStoppedGoesOnToTheSameBytes(_ granularity: MergeSettings.Granularity) throws {
        var settings = try Fixture.settings()
        settings.granularity = granularity
        try Fixture.temporarily { directory in
            let folders = ["vit/letters", "vit/shapes"]
            let whole = try fit(folders, settings, in: directory + "/whole")
            let first = try fit(folders, settings, in: directory + "/first")
            #expect(!whole.factored.isEmpty)
            for _ in 0..<4 { _ = try whole.step() }
            for _ in 0..<2 { _ = try first.step() }
            let second = try fit(folders, settings, in: directory + "/second", from: first.state)
            for _ in 0..<2 { _ = try second.step() }
            #expect(second.state == whole.state)
        }
    }

    /// A class of which no example is, and whose logit is −∞: the loss is finite, and 0 · ∞ the gradient.
    @Test func aGradientThatIsNotFiniteIsTheTasksFault() throws {
        try Fixture.temporarily { directory in
            let copy = try ModelFolder("\(AdapterFixture.root)/vit/letters", copiedTo: directory + "/letters")
            try copy.change("validation.safetensors") {
                let labels = $0["labels"]!
                $0["labels"] = .init([Int32](repeating: 0, count: labels.shape[0]), .i32)
            }
            let fit = try fit(["vit/letters", copy.path], Fixture.settings(), in: directory)
            #expect(!fit.factored.isEmpty)
            for (name, value) in [("vit.layernorm.weight", 0), ("vit.layernorm.bias", 1)] as [(String, Float)] {
                let index = try #require(fit.context.layers.firstIndex { $0.name == name })
                try fit.parameters.tensors[index].rows(from: 0, count: 1).copy(Tensor([value], shape: [1]))
            }
            let head = try #require(try fit.evaluation.heads[1].tensors()["classifier.weight"])
            var values = try head.floats()
            values[head.shape[1]] = -.infinity
            try head.copy(Tensor(values, shape: head.shape))
            let failure = #expect(throws: MergeError.self) { try fit.step() }
            #expect(failure?.task == "task-1" && failure?.message.contains("gradient is no longer finite") == true)
        }
    }
}
