internal import ExportedModel
internal import Torch

/// Calibration of a merge by forward passes alone, without labels: layer by layer, in the order in which the graph runs
/// them, each layer's weights become those whose outputs come closest to the task checkpoints' own, given the inputs
/// that the layers calibrated before it produce.
///
/// With X_i the inputs of a layer in the model calibrated so far (a column of ones for the bias), Y_i its outputs in
/// task i's checkpoint, n_i the rows of both (tokens or positions, padding left out) and W₀ the merge that calibration
/// starts from:
///
///     (Σ_i X_iᵀX_i/n_i + λ s I) Wᵀ = Σ_i X_iᵀY_i/n_i + λ s W₀ᵀ        s: the mean of the first sum's diagonal
///
/// A layer whose output is added to the residual stream also makes up for what the stream lacks:
/// Y_i += stream of the checkpoint − stream of the calibrated model.
///
/// Batch and group norms' scales and shifts are solved for channel by channel. Layer norms stay as merged: the next
/// layer's weights make up for them, and on the zoo's vision tasks solving for them made the held-out loss worse (0.645
/// against 0.588). Running statistics, embeddings and parameters that are read twice stay as merged, too. All tasks
/// advance together, so that each example passes once through its checkpoint and once through the calibrated model.
///
/// Own derivation. Relatives: RegMean (Jin et al., arXiv 2212.09849) and RegMean++ (arXiv 2508.03121) average weights
/// by the inputs' Gram matrices, FeatCal (arXiv 2605.13030) calibrates block by block, ProDistill (arXiv 2502.12706)
/// trains layer by layer.
///
/// Memory: the values that cross the current layer for all examples, twice; one layer of one task's checkpoint; the
/// layer's sums. Deterministic: the order of the sums does not depend on timing.
struct Calibration {
    private let context: MergeContext
    private let evaluation: EvaluationContext
    private let parameters: ModelParameters
    private let source: CheckpointParameters
    private let ridge: Double

    /// Tokens of one batch, at most.
    private static let mostTokens = 8192

    /// `parameters` become the calibrated model's. `ridge`: λ.
    init(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters, ridge: Double
    ) throws {
        (self.context, self.evaluation, self.parameters, self.ridge) = (context, evaluation, parameters, ridge)
        source = try CheckpointParameters(context, evaluation, parameters)
    }

    /// Fills the parameters with the merge at `start` and calibrates them; gives the places of the tensors that were
    /// solved for, in order. `progress` counts layers.
    func run(start: MergingWeights, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [Int] {
        try parameters.merge(context.vectors, start)
        let model = evaluation.model
        let layers = model.calibrationLayers().filter { layer in
            layer.parameters.allSatisfy { source.layer($0.name) != nil }
        }
        return try TorchRuntime.withoutGradients {
            let batches = try context.tasks.indices.map { try self.batches(of: $0) }
            var solved: [Int] = []
            var position = 0
            for (done, layer) in layers.enumerated() {
                try advance(batches, position..<layer.instruction)
                if let solution = try solution(of: layer, batches) {
                    solved += try layer.parameters.compactMap { try take(solution, $0, of: layer) }
                }
                try pass(layer, batches)
                position = layer.instruction + 1
                try progress(done + 1, layers.count)
            }
            return solved.sorted()
        }
    }

    /// A task's fitted examples, those of like length together.
    private func batches(of task: Int) throws -> [CalibrationBatch] {
        guard let set = evaluation.sets[task] else { return [] }
        let lengths = set.fitted.map { set.padding?.length(of: [$0]) ?? 0 }
        let order = set.fitted.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }.map { set.fitted[$0] }
        let size = set.padding.map { max(1, min(Scorer.batch, Self.mostTokens / $0.length(of: order))) } ?? Scorer.batch
        return try MergeError.blaming(context.tasks[task].name) {
            try stride(from: 0, to: order.count, by: size).map { start in
                let (inputs, _) = try set.batch(Array(order[start..<min(start + size, order.count)]))
                let rows = try evaluation.objectives[task].rows(of: inputs, for: evaluation.model.signature)
                return try CalibrationBatch(evaluation.model, task: task, rows)
            }
        }
    }

    /// Runs a range in both models of every batch.
    private func advance(_ batches: [[CalibrationBatch]], _ range: Range<Int>) throws {
        guard !range.isEmpty else { return }
        for (task, own) in batches.enumerated() where !own.isEmpty {
            let checkpoint = try source.checkpoint(task, for: range)
            let calibrated = try source.calibrated(task, for: range)
            for batch in own { try batch.run(evaluation.model, range, checkpoint: checkpoint, calibrated: calibrated) }
        }
    }

    /// Runs the layer in the checkpoints and solves for its weights.
    private func solution(of layer: CalibrationLayer, _ batches: [[CalibrationBatch]]) throws -> LayerSolution? {
        guard let place = source.layer(layer.weight.name) else { return nil }
        let weight = parameters.tensors[place]
        let bias = layer.bias.flatMap { source.layer($0.name) }.map { parameters.tensors[$0] }
        let problem: any LayerProblem =
            if case .channels = layer.kind {
                ChannelProblem(channels: weight.elementCount, ridge: ridge)
            } else {
                try LinearProblem(layer.kind, shape: weight.shape, hasBias: bias != nil, ridge: ridge)
            }
        let range = layer.instruction..<layer.instruction + 1
        for (task, own) in batches.enumerated() where !own.isEmpty {
            let checkpoint = try source.checkpoint(task, for: range)
            for batch in own {
                let input = try self.input(of: layer, in: batch)
                let stream = try layer.stream.flatMap { try batch.missing(at: $0) }
                try evaluation.model.fill(batch.checkpoint, for: range, checkpoint)
                try batch.checkpoint.run(range)
                var target = try batch.checkpoint.tensor(at: layer.output)
                if let stream, stream.elementCount == target.elementCount, stream.shape.last == target.shape.last {
                    target = try target.adding(stream.reshaped(target.shape))
                }
                try problem.add(input, target, of: batch)
            }
            try problem.finishTask()
        }
        return try problem.solution(start: weight, bias: bias)
    }

    /// What the layer multiplies its weight with in the calibrated model: its input, of a norm the normalised one.
    private func input(of layer: CalibrationLayer, in batch: CalibrationBatch) throws -> Tensor {
        guard case .channels = layer.kind else { return try batch.calibrated.tensor(at: layer.input) }
        let model = evaluation.model
        let range = layer.instruction..<layer.instruction + 1
        let reads = Set(model.instructions[layer.instruction].reads).filter { batch.calibrated.isTensor(at: $0) }
        let before = try reads.map { ($0, try batch.calibrated.tensor(at: $0)) }
        try model.fill(batch.calibrated, for: range, source.calibrated(batch.task, for: range))
        for (parameter, value) in zip(layer.parameters, [Float(1), 0]) {
            let shape = source.layer(parameter.name).map { parameters.tensors[$0].shape } ?? []
            try batch.calibrated.set(
                Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape), at: parameter.slot)
        }
        try batch.calibrated.run(range)
        let normalised = try batch.calibrated.tensor(at: layer.output)
        for (slot, tensor) in before { try batch.calibrated.set(tensor, at: slot) }
        return normalised
    }

    /// Writes one parameter of a solution where its numbers are finite; gives its layer.
    private func take(
        _ solution: LayerSolution, _ parameter: CalibrationLayer.Parameter, of layer: CalibrationLayer
    ) throws -> Int? {
        let value = parameter == layer.weight ? solution.weight : solution.bias
        guard let value, let place = source.layer(parameter.name), try value.isFinite() else { return nil }
        try parameters.tensors[place].copy(value)
        return place
    }

    /// Runs the layer in the calibrated model with its new weights.
    private func pass(_ layer: CalibrationLayer, _ batches: [[CalibrationBatch]]) throws {
        let model = evaluation.model
        for (task, own) in batches.enumerated() where !own.isEmpty {
            let instructions = layer.parameters.flatMap(\.chain) + [layer.instruction]
            let parameters = try instructions.map { try source.calibrated(task, for: $0..<$0 + 1) }
            for batch in own {
                for (instruction, values) in zip(instructions, parameters) {
                    let range = instruction..<instruction + 1
                    try model.fill(batch.calibrated, for: range, values)
                    try batch.calibrated.run(range)
                }
            }
        }
    }
}
