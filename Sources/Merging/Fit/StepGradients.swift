internal import Engine
internal import Torch
internal import WorkerProtocol

/// Sums of one step over the examples at hand, before they are added to those of other processes.
struct LocalDots: Sendable {
    /// ⟨Σ ∂L/∂θm(j), τ(i,j)⟩, in the order of the weights' values.
    var dots: [Double]
    /// The weighted mean loss over the tasks.
    var loss = 0.0
}

/// Adds the sums of all processes up, in a fixed order.
protocol Reduction {
    func sum(_ local: LocalDots) throws -> LocalDots
}

/// One process: its sums are the sums.
struct SingleProcess: Reduction {
    func sum(_ local: LocalDots) -> LocalDots { local }
}

/// Consumes the gradients of one step as they come: dot products with the task vectors, and no sum of gradients longer
/// than a layer needs one.
final class StepGradients: GradientReceiver {
    private let fit: CoefficientFit
    private let weights: MergingWeights
    private let tasks: [Int]
    private let batches: [Batch]
    private let shares: [Double]
    private let gradients = GradientSum()
    private var lookedUp: [Int: RowSum] = [:]
    private(set) var local: LocalDots

    /// One task's examples of a step.
    struct Batch {
        let indices: [Int]
        let inputs: [String: Tensor]
        let labels: Tensor?
    }

    /// `tasks`: the places of those whose batches are given, one pass each; `shares` are their weights in the loss.
    init(_ fit: CoefficientFit, tasks: [Int], batches: [Batch], shares: [Double]) {
        self.fit = fit
        self.tasks = tasks
        self.batches = batches
        self.shares = shares
        weights = fit.state.weights
        local = LocalDots(dots: [Double](repeating: 0, count: weights.values.count))
    }

    func perform(_ pass: Int, _ body: () throws -> Void) throws {
        try MergeError.blaming(fit.context.tasks[tasks[pass]].name, body)
    }

    func loss(ofPass pass: Int, _ output: Tensor) throws -> Tensor {
        let batch = batches[pass]
        let loss = try fit.loss(tasks[pass], output, batch).multiplied(by: shares[pass])
        let value = try loss.item()
        guard value.isFinite else { throw fit.notFinite(tasks[pass], "loss") }
        local.loss += value
        return loss
    }

    func receive(_ part: GradientTape.Part, of layer: Int, pass: Int) throws {
        switch part {
        case .whole(let gradient) where pass == tasks.count - 1:
            guard let complete = try gradients.take(layer, adding: gradient) else { return }
            try consume(complete, of: layer)
        case .whole(let gradient):
            try gradients.add(gradient, of: layer)
        case .product(let left, let right):
            if let factored = fit.factored[layer] {
                try factored.addDots(slope: left, input: right, weights, into: &local.dots)
            } else {
                try gradients.add(left: left, right: right, of: layer)
            }
        case .rows(let places, let values):
            let whole = fit.context.layers[layer]
            let rows = lookedUp[layer] ?? RowSum(rows: whole.shape[0], columns: whole.matrixColumns)
            lookedUp[layer] = rows
            try rows.add(values, at: places)
        }
    }

    func complete(_ layers: [Int]) throws {
        for layer in layers {
            if let complete = try gradients.take(layer) { try consume(complete, of: layer) }
            guard let rows = lookedUp.removeValue(forKey: layer) else { continue }
            try fit.context.vectors.addDots(rows: rows, of: layer, weights, into: &local.dots)
        }
    }

    /// Adds ⟨∂L/∂θm(j), τ(i,j)⟩ for every task i, per row and column where the layer has weights for them.
    private func consume(_ gradient: Tensor, of layer: Int) throws {
        try unsafe gradient.withUnsafeMutableBytes { bytes in
            guard let slope = unsafe bytes.assumingMemoryBound(to: Float.self).baseAddress else { return }
            try unsafe fit.context.vectors.addDots(
                gradient: UnsafePointer(slope), of: layer, weights, into: &local.dots)
        }
    }
}

/// Looks whether any part of a pass's gradient is not finite.
final class FinitenessCheck: GradientReceiver {
    private let inner: StepGradients
    private(set) var isFinite = true

    init(_ inner: StepGradients) { self.inner = inner }

    func perform(_ pass: Int, _ body: () throws -> Void) throws { try inner.perform(pass, body) }
    func loss(ofPass pass: Int, _ output: Tensor) throws -> Tensor { try inner.loss(ofPass: pass, output) }
    func complete(_ layers: [Int]) {}

    func receive(_ part: GradientTape.Part, of layer: Int, pass: Int) throws {
        let gradient =
            switch part {
            case .whole(let gradient): gradient
            case .product(let left, let right): try left.transposed().matrixProduct(right)
            case .rows(_, let values): values
            }
        isFinite = try isFinite && gradient.isFinite()
    }
}
