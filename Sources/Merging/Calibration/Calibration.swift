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
/// λ is one for all layers. Chosen for each layer, by how close its outputs come to the checkpoints' on held-out
/// examples, it made a worse merge of the zoo's vision tasks (held-out loss 0.563 against 0.519).
///
/// Own derivation. Relatives: RegMean (Jin et al., arXiv 2212.09849) and RegMean++ (arXiv 2508.03121) average weights
/// by the inputs' Gram matrices, FeatCal (arXiv 2605.13030) calibrates block by block, ProDistill (arXiv 2502.12706)
/// trains layer by layer.
///
/// Memory: one layer of one task's checkpoint; the layer's sums; and of a resident model the values that cross the
/// current layer for all examples, twice, but only once where the layer narrows them: there the checkpoints run ahead.
/// Where those values would take more memory than a fit does, and of a streamed model, they lie in a file but for one
/// batch's; of a streamed model the weights that were solved for do, too. The bytes that come of it are the same.
/// Deterministic: the order of the sums does not depend on timing.
struct Calibration {
    private let context: MergeContext
    private let evaluation: EvaluationContext
    private let parameters: ModelParameters
    private let source: CheckpointParameters
    private let form: LayerwiseForm
    private let anchor: CalibrationAnchor
    /// What comes of it.
    let weights: CalibratedWeights
    /// Where the values of all examples wait, if not in memory.
    private let file: SpilledValues?

    /// Tokens of one batch, at most.
    static let mostTokens = 1024

    /// `parameters` become the calibrated model's.
    init(
        _ context: MergeContext, _ evaluation: EvaluationContext, _ parameters: ModelParameters, form: LayerwiseForm,
        anchor: CalibrationAnchor = .taskVectors
    ) throws {
        (self.context, self.evaluation, self.parameters, self.form) = (context, evaluation, parameters, form)
        self.anchor = anchor
        let scratch = context.plan.scratch
        weights = try CalibratedWeights(parameters, scratch: scratch)
        file = try parameters.isResident && !context.spills ? nil : SpilledValues(scratch: scratch)
        source = try CheckpointParameters(context, evaluation, weights)
    }

    /// Fills the parameters with the merge at `start`, or what `anchor` makes of it, and calibrates them; gives the
    /// places of the tensors that differ from that at `start`, in order. `progress` counts layers.
    func run(start: MergingWeights, progress: (_ done: Int, _ total: Int) throws -> Void) throws -> [Int] {
        try parameters.merge(context.vectors, start)
        let model = evaluation.model
        let layers = model.calibrationLayers().filter { layer in
            form.solves(layer.kind) && layer.parameters.allSatisfy { source.layer($0.name) != nil }
        }
        return try TorchRuntime.withoutGradients {
            let matrices = Set(layers.compactMap { source.layer($0.weight.name) }).sorted()
            var solved = Set(try anchor.fill(matrices, weights, context.vectors))
            let batches = try context.tasks.indices.map { try self.batches(of: $0) }
            for (done, layer) in layers.enumerated() {
                try advance(batches, to: layer.instruction)
                let next = done + 1 < layers.count ? layers[done + 1] : nil
                if let solution = try solution(of: layer, next: next, batches) {
                    solved.formUnion(try layer.parameters.compactMap { try take(solution, $0, of: layer) })
                }
                try pass(layer, batches)
                weights.release()
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
        let length = set.padding.map { $0.length(of: order) } ?? set.tokens
        let size = max(1, min(Scorer.batch, Self.mostTokens / max(1, length)))
        return try MergeError.blaming(context.tasks[task].name) {
            try stride(from: 0, to: order.count, by: size).map { start in
                let (inputs, _) = try set.batch(Array(order[start..<min(start + size, order.count)]))
                let rows = try evaluation.objectives[task].rows(of: inputs, for: evaluation.model.signature)
                return try CalibrationBatch(evaluation.model, task: task, rows, file: file)
            }
        }
    }

    /// Runs both models of every batch up to an instruction.
    private func advance(_ batches: [[CalibrationBatch]], to instruction: Int) throws {
        for (task, own) in batches.enumerated() {
            guard let first = own.first else { continue }
            let (ahead, behind) = (first.checkpoint.position, first.calibrated.position)
            if ahead < instruction {
                let parameters = try source.checkpoint(task, for: ahead..<instruction)
                for batch in own {
                    try batch.checkpoint.run(to: instruction, parameters)
                    try batch.rest()
                }
            }
            guard behind < instruction, form.readsMerged else { continue }
            let parameters = try source.calibrated(task, for: behind..<instruction)
            for batch in own {
                try batch.calibrated.run(to: instruction, parameters)
                try batch.rest()
            }
        }
        weights.release()
    }

    /// Runs the layer in the checkpoints and solves for its weights. Where `next` narrows what this one has widened,
    /// the checkpoints run on to its output, so that the wide values of one model alone are held for all examples.
    private func solution(
        of layer: CalibrationLayer, next: CalibrationLayer?, _ batches: [[CalibrationBatch]]
    ) throws -> LayerSolution? {
        guard let place = source.layer(layer.weight.name) else { return nil }
        let problem = try form.problem(of: layer.kind, shape: context.layers[place].shape, hasBias: layer.bias != nil)
        let end = layer.instruction + 1
        let runsAhead = form.readsTargets && next.map(narrows) == true
        let ahead = next.map { runsAhead ? $0.instruction + 1 : end } ?? end
        for (task, own) in batches.enumerated() {
            guard let first = own.first else { continue }
            let from = first.checkpoint.position
            let parameters = from < end ? try source.checkpoint(task, for: from..<end) : [:]
            let further = ahead > max(end, from) ? try source.checkpoint(task, for: max(end, from)..<ahead) : [:]
            if let rows = try rows(of: layer, in: own) { problem.expect(rows: rows) }
            for batch in own {
                let input = try self.input(of: layer, in: batch)
                let stream = form.readsTargets ? try layer.stream.flatMap { try batch.missing(at: $0) } : nil
                try batch.checkpoint.run(to: end, parameters)
                var target = try batch.checkpoint.tensor(at: layer.output)
                if let stream, stream.elementCount == target.elementCount, stream.shape.last == target.shape.last {
                    target = try target.adding(stream.reshaped(target.shape))
                }
                try problem.add(input, target, of: batch)
                try batch.checkpoint.run(to: ahead, further)
                try batch.rest()
            }
            guard problem.readsWeights else { try problem.finishTask(weight: nil); continue }
            try problem.finishTask(weight: try context.vectors.checkpoint(of: task, layer: place))
        }
        do {
            let bias = try layer.bias.flatMap { source.layer($0.name) }.map { try weights.current($0) }
            let start = try form.startsAtBase ? context.vectors.origin(of: place) : weights.current(place)
            return try problem.solution(start: start, bias: bias)
        } catch is TorchError {
            // Inputs of which no system comes that can be solved, infinite ones for example: it stays as merged.
            return nil
        }
    }

    /// Rows that a task's batches have for a linear layer's sums; nil where only running the layer tells.
    private func rows(of layer: CalibrationLayer, in batches: [CalibrationBatch]) throws -> Int? {
        guard case .linear(let isTransposed) = layer.kind, form.readsTargets, form.readsMerged,
            let place = source.layer(layer.weight.name)
        else { return nil }
        let shape = context.layers[place].shape
        return try batches.reduce(0) {
            try $0
                + $1.rowCount(elements: $1.calibrated.elementCount(at: layer.input), width: shape[isTransposed ? 0 : 1])
        }
    }

    /// Whether a linear layer has fewer outputs than inputs.
    private func narrows(_ layer: CalibrationLayer) -> Bool {
        guard case .linear(let isTransposed) = layer.kind, let place = source.layer(layer.weight.name) else {
            return false
        }
        let shape = context.layers[place].shape
        return isTransposed ? shape[0] > shape[1] : shape[1] > shape[0]
    }

    /// What the layer multiplies its weight with: its input, of a norm the normalised one.
    private func input(of layer: CalibrationLayer, in batch: CalibrationBatch) throws -> Tensor {
        let run = form.readsMerged ? batch.calibrated : batch.checkpoint
        guard layer.kind == .channels || layer.kind == .elements else { return try run.tensor(at: layer.input) }
        let model = evaluation.model
        let range = layer.instruction..<layer.instruction + 1
        let reads = Set(model.instructions[layer.instruction].reads).filter { run.isTensor(at: $0) }
        let before = try reads.map { ($0, try run.tensor(at: $0)) }
        var parameters =
            try form.readsMerged
            ? source.calibrated(batch.task, for: range) : source.checkpoint(batch.task, for: range)
        for (parameter, value) in zip(layer.parameters, [Float(1), 0]) {
            let shape = source.layer(parameter.name).map { context.layers[$0].shape } ?? []
            parameters[parameter.name] = try Tensor(
                [Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
        }
        try run.run(range, parameters)
        let normalised = try run.tensor(at: layer.output)
        for (slot, tensor) in before { try run.set(tensor, at: slot) }
        return normalised
    }

    /// Takes over one parameter of a solution where its numbers are finite; gives its layer.
    private func take(
        _ solution: LayerSolution, _ parameter: CalibrationLayer.Parameter, of layer: CalibrationLayer
    ) throws -> Int? {
        let value = parameter == layer.weight ? solution.weight : solution.bias
        guard let value, let place = source.layer(parameter.name), try value.isFinite() else { return nil }
        try weights.take(value, of: place)
        return place
    }

    /// Runs the layer in the calibrated model with its new weights.
    private func pass(_ layer: CalibrationLayer, _ batches: [[CalibrationBatch]]) throws {
        guard form.readsMerged else { return }
        for (task, own) in batches.enumerated() where !own.isEmpty {
            let instructions = layer.parameters.flatMap(\.chain)
            let parameters = try instructions.map { try source.calibrated(task, for: $0..<$0 + 1) }
            let end = layer.instruction + 1
            let last = try source.calibrated(task, for: layer.instruction..<end)
            for batch in own {
                for (instruction, values) in zip(instructions, parameters) {
                    try batch.calibrated.run(instruction..<instruction + 1, values)
                }
                try batch.calibrated.run(to: end, last)
                try batch.rest()
            }
        }
    }
}
