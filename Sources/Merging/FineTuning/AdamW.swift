internal import Foundation
internal import Torch

/// Adam with decoupled weight decay (arXiv 1711.05101) on tensors, each updated as its gradient appears.
struct AdamW {
    private let parameters: [Tensor]
    private let firstMoments: [Tensor]
    private let secondMoments: [Tensor]
    private let weightDecay: Double
    private var step = 0

    /// Two moments in float32 for each parameter.
    init(_ parameters: [Tensor], weightDecay: Double) throws {
        self.parameters = parameters
        self.weightDecay = weightDecay
        firstMoments = try parameters.map { try Tensor.zeros($0.shape) }
        secondMoments = try parameters.map { try Tensor.zeros($0.shape) }
    }

    mutating func beginStep() { step += 1 }

    /// Moves one parameter against its gradient. Only matrices decay; vectors (biases, norms) do not.
    func update(_ index: Int, gradient: Tensor, learningRate: Double) throws {
        let (first, second, parameter) = (firstMoments[index], secondMoments[index], parameters[index])
        try first.multiply(by: 0.9)
        try first.add(gradient, alpha: 0.1)
        try second.multiply(by: 0.999)
        try second.addProduct(gradient, gradient, alpha: 0.001)
        let correction = (1 - pow(0.999, Double(step))).squareRoot()
        try TorchRuntime.withoutGradients {
            let scale = try Tensor.one(
                "aten::add", "Scalar",
                [.tensor(.one("aten::sqrt", [.tensor(second)])), .double(1e-8 * correction), .int(1)])
            if parameter.shape.count > 1 { try parameter.multiply(by: 1 - learningRate * weightDecay) }
            let rate = learningRate * correction / (1 - pow(0.9, Double(step)))
            _ = try Tensor.call("aten::addcdiv_", [.tensor(parameter), .tensor(first), .tensor(scale), .double(-rate)])
        }
    }
}
