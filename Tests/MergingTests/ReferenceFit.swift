import ExportedModel
import Foundation
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// SuperMerge's step (arXiv 2412.10416) in plain Swift, with every θm and every gradient whole: what `CoefficientFit`
/// does with less.
///
/// θm(j) = θp(j) + Σᵢ c(i,j,r) τ(i,j), c = tanh w; ∂L/∂w(i,j,r) = (1 − c²) ⟨∂L/∂θm(j), τ(i,j)⟩ over row r; Adam on w.
struct ReferenceFit {
    let model: ExportedModel
    let base: [String: [Float]]
    /// τ by task and tensor.
    let vectors: [[String: [Float]]]
    let shapes: [String: [Int]]
    /// A task's examples, labels, head and weight in the loss.
    let tasks: [(inputs: [String: Tensor], labels: Tensor, head: [String: Tensor], share: Double)]
    let learningRate: Double
    let byRow: Bool
    /// w by tensor, then task, then row.
    var weights: [String: [[Double]]]
    var moments: [String: [[(first: Double, second: Double)]]] = [:]
    var step = 0

    private func rows(_ name: String) -> Int { byRow && shapes[name]!.count > 1 ? shapes[name]![0] : 1 }

    mutating func descend() throws -> Double {
        var merged = base
        for (name, own) in weights {
            let stride = base[name]!.count / rows(name)
            for task in vectors.indices {
                for (index, difference) in vectors[task][name]!.enumerated() {
                    merged[name]![index] += Float(tanh(own[task][index / stride])) * difference
                }
            }
        }
        var total = 0.0
        var slopes = base.mapValues { [Double](repeating: 0, count: $0.count) }
        let names = weights.keys.sorted()
        for task in tasks {
            let tape = GradientTape()
            var parameters = task.head
            for (name, values) in merged where parameters[name] == nil {
                parameters[name] = try Tensor(values, shape: shapes[name]!)
            }
            for (index, name) in names.enumerated() {
                parameters[name] = try tape.watch(parameters[name]!, index: index)
            }
            let logits = try model.forward(inputs: task.inputs, parameters: parameters)
            let loss = try logits.crossEntropy(task.labels).multiplied(by: task.share)
            total += try loss.item()
            try tape.backward(loss) { index, gradient in
                for (place, slope) in try gradient.floats().enumerated() {
                    slopes[names[index]]![place] += Double(slope)
                }
            }
        }
        step += 1
        for name in names {
            let stride = base[name]!.count / rows(name)
            for task in vectors.indices {
                var dots = [Double](repeating: 0, count: rows(name))
                for (index, difference) in vectors[task][name]!.enumerated() {
                    dots[index / stride] += slopes[name]![index] * Double(difference)
                }
                for (row, dot) in dots.enumerated() { adam(name, task, row, dot) }
            }
        }
        return total
    }

    private mutating func adam(_ name: String, _ task: Int, _ row: Int, _ dot: Double) {
        let coefficient = tanh(weights[name]![task][row])
        let slope = (1 - coefficient * coefficient) * dot
        let before = moments[name]?[task][row] ?? (first: 0, second: 0)
        let (first, second) = (0.9 * before.first + 0.1 * slope, 0.999 * before.second + 0.001 * slope * slope)
        moments[name, default: weights[name]!.map { $0.map { _ in (0, 0) } }][task][row] = (first, second)
        let (unbiased, square) = (first / (1 - pow(0.9, Double(step))), second / (1 - pow(0.999, Double(step))))
        weights[name]![task][row] -= learningRate * unbiased / (square.squareRoot() + 1e-8)
    }
}
