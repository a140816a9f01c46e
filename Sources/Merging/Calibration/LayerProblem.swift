internal import Torch

/// The least-squares problem of one layer: collects every task's inputs and targets, then solves for weight and bias.
protocol LayerProblem: AnyObject {
    /// Says how many rows the next task has; where nobody says, memory is taken for its own sums.
    func expect(rows: Int)
    /// Adds what one batch says: `input` as the calibrated model gives it, `target` the layer's output in the task's
    /// checkpoint.
    func add(_ input: Tensor, _ target: Tensor, of batch: CalibrationBatch) throws
    /// Whether `finishTask` takes the checkpoint's weight.
    var readsWeights: Bool { get }
    /// Ends the rows of one task: each counts by the mean over its rows. `weight`: its checkpoint's.
    func finishTask(weight: Tensor?) throws
    /// Weight and bias in the parameters' shapes; nil where the inputs say nothing. `start`: those of the merge.
    func solution(start weight: Tensor, bias: Tensor?) throws -> LayerSolution?
}

struct LayerSolution {
    let weight: Tensor
    let bias: Tensor?
}

/// Linear layers and convolutions: ridge regression towards the start (Hoerl and Kennard, Technometrics 12, 1970).
final class LinearProblem: LayerProblem {
    private let kind: CalibrationLayer.Kind
    private let shape: [Int]
    private let inputs: Int
    private let outputs: Int
    private let regression: RidgeRegression
    private let ridge: Double

    /// Elements of the unfolded input of a convolution that are made at once.
    private static let unfolded = 1 << 24

    /// `shape`: the weight's. `ridge`: λ.
    init(_ kind: CalibrationLayer.Kind, shape: [Int], hasBias: Bool, ridge: Double) throws {
        (self.kind, self.shape, self.ridge) = (kind, shape, ridge)
        let columns = shape.dropFirst().reduce(1, *)
        (inputs, outputs) = kind == .linear(isTransposed: true) ? (shape[0], columns) : (columns, shape[0])
        regression = try RidgeRegression(inputs: inputs, outputs: outputs, hasBias: hasBias)
    }

    func add(_ input: Tensor, _ target: Tensor, of batch: CalibrationBatch) throws {
        guard case .convolution(let convolution) = kind else {
            return try regression.add(batch.rows(input, width: inputs), batch.rows(target, width: outputs))
        }
        let positions = max(1, target.elementCount / max(1, target.shape[0] * outputs))
        let step = max(1, Self.unfolded / (positions * inputs))
        for start in stride(from: 0, to: input.shape[0], by: step) {
            let count = min(step, input.shape[0] - start)
            let part = try target.rows(from: start, count: count).to(.float32)
            try regression.add(
                convolution.unfolded(input.rows(from: start, count: count).to(.float32), kernel: Array(shape[2...])),
                part.channelRows())
        }
    }

    func expect(rows: Int) { regression.expect(rows: rows) }

    func finishTask(weight: Tensor?) throws { try regression.finishTask() }

    func solution(start weight: Tensor, bias: Tensor?) throws -> LayerSolution? {
        var start = try weight.to(.float32).reshaped([shape[0], -1])
        if kind != .linear(isTransposed: true) { start = try start.transposed() }
        if let bias { start = try .concatenated([start, bias.to(.float32).reshaped([1, -1])]) }
        guard let found = try regression.solution(ridge: ridge, start: start) else { return nil }
        var own = try found.rows(from: 0, count: inputs)
        if kind != .linear(isTransposed: true) { own = try own.transposed() }
        return LayerSolution(
            weight: try own.reshaped(shape),
            bias: try bias.map { try found.rows(from: inputs, count: 1).reshaped($0.shape) })
    }
}

extension LayerProblem {
    var readsWeights: Bool { false }
    func expect(rows: Int) {}
}

extension CalibrationLayer.Convolution {
    /// The patches that the kernel sees, [examples · positions, channels · kernel].
    func unfolded(_ input: Tensor, kernel: [Int]) throws -> Tensor {
        let isFlat = kernel.count == 1
        let image = try isFlat ? input.reshaped(input.shape.dropLast() + [1, input.shape[2]]) : input
        func pair(_ values: [Int], _ usual: Int) -> [Int] {
            let full = values.count == kernel.count ? values : kernel.map { _ in values.first ?? usual }
            return isFlat ? [usual] + full : full
        }
        let columns = try Tensor.one(
            "aten::im2col",
            [
                .tensor(image), .ints(isFlat ? [1] + kernel : kernel), .ints(pair(dilation, 1)),
                .ints(pair(padding, 0)),
                .ints(pair(stride, 1)),
            ])
        return try columns.channelRows()
    }
}

extension Tensor {
    /// [examples, channels, …] as [examples · positions, channels].
    func channelRows() throws -> Tensor {
        guard shape.count > 2 else { return self }
        let flat = try reshaped([shape[0], shape[1], -1])
        return try Tensor.one("aten::transpose", "int", [.tensor(flat), .int(1), .int(2)]).reshaped([-1, shape[1]])
    }
}
