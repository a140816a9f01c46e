extension Tensor {
    /// How a loss over examples becomes one number; raw values are PyTorch's.
    package enum Reduction: Int, Sendable {
        case none = 0, mean = 1, sum = 2
    }

    /// The index of the largest element along the last axis, int64.
    package func argmax() throws -> Tensor { try .one("aten::argmax", [.tensor(self), .int(-1)]) }

    /// Element by element equality, as `bool`.
    package func equal(to other: Tensor) throws -> Tensor {
        try .one("aten::eq", "Tensor", [.tensor(self), .tensor(other)])
    }

    /// Softmax along the last axis.
    package func softmax() throws -> Tensor { try .one("aten::softmax", "int", [.tensor(self), .int(-1)]) }

    /// Logarithm of the softmax along the last axis.
    package func logSoftmax() throws -> Tensor { try .one("aten::log_softmax", "int", [.tensor(self), .int(-1)]) }

    /// −log softmax(self)[label] for logits [N, C] and labels [N] (int64); labels equal to `ignoring` count for
    /// nothing.
    package func crossEntropy(
        _ labels: Tensor, reduction: Reduction = .mean, ignoring ignored: Int = -100
    ) throws -> Tensor {
        try .one(
            "aten::cross_entropy_loss",
            [.tensor(self), .tensor(labels), .none, .int(reduction.rawValue), .int(ignored)])
    }

    /// (self − target)²
    package func squaredError(_ target: Tensor, reduction: Reduction = .mean) throws -> Tensor {
        try .one("aten::mse_loss", [.tensor(self), .tensor(target), .int(reduction.rawValue)])
    }
}
