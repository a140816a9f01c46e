import Files
import Foundation
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// The fast paths of a fit against the plain ones.
@Suite(.serialized)
struct ReferenceFitTests {
    /// Two tasks by `granularity`; `adapters`: LoRA adapters in the place of checkpoints, whose gradients are never
    /// formed. Keys' biases are left out: their gradient is zero but for rounding, and Adam divides by its size (see
    /// `ParityTests`).
    @Test(arguments: [
        (MergeSettings.Granularity.tensor, false, Int64(8 << 30)), (.row, false, 8 << 30), (.tensor, true, 8 << 30),
        (.row, true, 8 << 30), (.row, true, 1),
    ])
    func fiveStepsAreThoseOfTheReference(
        granularity: MergeSettings.Granularity, adapters: Bool, memory: Int64
    ) throws {
        var settings = try Fixture.settings()
        (settings.granularity, settings.memory, settings.strategy) = (granularity, memory, .joint)
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(settings, in: directory)
            for index in plan.tasks.indices where adapters {
                plan.tasks[index].directory = "\(AdapterFixture.root)/vit/\(plan.tasks[index].name)"
            }
            let context = try MemoryEstimate.$isEnforced.withValue(false) { try MergeContext(plan) }
            let evaluation = try #require(context.evaluation)
            #expect(evaluation.engine.isStreamed == (memory == 1))
            try context.vectors.findZeros { _ in }
            let start = MergingWeights(
                method: .supermerge, taskCount: 2, layers: context.layers, scale: settings.scale, squash: .tanh)
            let fit = try CoefficientFit(
                context, evaluation, ModelParameters(context), state: FitState(start), teachers: [nil, nil])
            #expect(fit.factored.isEmpty != adapters)
            var reference = try reference(context, evaluation, settings)
            for _ in 0..<5 {
                let (loss, expected) = try (fit.step(), reference.descend())
                #expect(abs(loss - expected) < 1e-5 * expected)
            }
            var apart = 0
            for index in context.trainable() where !context.layers[index].name.contains("k_proj.bias") {
                for task in 0..<2 where context.vectors.active[task][index] {
                    let wanted = try #require(reference.weights[context.layers[index].name])[task].map { tanh($0) }
                    let got = fit.state.weights.coefficients(task: task, layer: index)
                    #expect(got.count == wanted.count)
                    apart += zip(got, wanted).count { abs($0 - $1) > 1e-3 }
                }
            }
            #expect(apart <= start.values.count / 400, "\(apart) of \(start.values.count) coefficients differ")
        }
    }

    private func reference(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ settings: MergeSettings
    ) throws -> ReferenceFit {
        let layers = context.layers
        func whole(_ load: (ModelParameters) throws -> Void) throws -> [[Float]] {
            let parameters = try ModelParameters(layers: layers)
            try load(parameters)
            return try parameters.tensors.map { try $0.floats() }
        }
        let base = try whole { try $0.load(context.base) }
        let vectors = try context.tasks.indices.map { task in
            let own = try whole { try $0.load(task: task, context.vectors) }
            return Dictionary(
                uniqueKeysWithValues: layers.indices.map { (layers[$0].name, zip(own[$0], base[$0]).map { $0 - $1 }) })
        }
        let importance = context.tasks.map(\.source.settings.weight)
        let tasks = try context.tasks.indices.map { task in
            let set = try #require(evaluation.sets[task])
            let (inputs, labels) = try set.batch(set.fitted)
            return try (
                inputs: inputs, labels: #require(labels).to(.int64), head: evaluation.heads[task].tensors(),
                share: importance[task] / importance.reduce(0, +)
            )
        }
        let start = atanh(settings.scale)
        let weights = context.trainable().map { index in
            let row = [Double](repeating: start, count: settings.granularity == .row ? layers[index].weightRows : 1)
            return (layers[index].name, [row, row])
        }
        return ReferenceFit(
            model: evaluation.model, base: Dictionary(uniqueKeysWithValues: zip(layers.map(\.name), base)),
            vectors: vectors, shapes: Dictionary(uniqueKeysWithValues: layers.map { ($0.name, $0.shape) }),
            tasks: tasks,
            learningRate: settings.learningRate, byRow: settings.granularity == .row,
            weights: Dictionary(uniqueKeysWithValues: weights))
    }
}
