internal import Torch

/// The sums of a least-squares problem, X W ≈ Y over all tasks, each by the mean over its rows, in float64.
///
/// Memory: (inputs + 1) · (inputs + 1 + outputs) doubles, the same again for the task that is being added.
final class RidgeRegression {
    /// Σ XᵀX / n, [inputs, inputs], with a last row and column for the column of ones where there is a bias.
    private let gram: Tensor
    /// Σ XᵀY / n, [inputs, outputs].
    private let cross: Tensor
    private let ownGram: Tensor
    private let ownCross: Tensor
    private var ownRows = 0
    private let inputs: Int
    private let hasBias: Bool

    init(inputs: Int, outputs: Int, hasBias: Bool) throws {
        let width = inputs + (hasBias ? 1 : 0)
        (self.inputs, self.hasBias) = (inputs, hasBias)
        gram = try .zeros([width, width], .float64)
        cross = try .zeros([width, outputs], .float64)
        ownGram = try .zeros([width, width], .float64)
        ownCross = try .zeros([width, outputs], .float64)
    }

    /// Adds rows of the task at hand; `input` [rows, inputs] and `target` [rows, outputs] in float32.
    func add(_ input: Tensor, _ target: Tensor) throws {
        let rows = input.shape[0]
        guard rows > 0 else { return }
        ownRows += rows
        let transposed = try input.transposed()
        try add(ownGram, try symmetricProduct(input, transposed), rows: 0..<inputs, columns: 0..<inputs)
        try add(ownCross, try transposed.matrixProduct(target), rows: 0..<inputs, columns: nil)
        guard hasBias else { return }
        let sums = try input.sum(over: [0], keepingAxes: true)
        try add(ownGram, sums, rows: inputs..<inputs + 1, columns: 0..<inputs)
        try add(ownGram, sums.transposed(), rows: 0..<inputs, columns: inputs..<inputs + 1)
        try add(ownGram, Tensor([Float(rows)], shape: [1, 1]), rows: inputs..<inputs + 1, columns: inputs..<inputs + 1)
        try add(ownCross, target.sum(over: [0], keepingAxes: true), rows: inputs..<inputs + 1, columns: nil)
    }

    /// Blocks that a Gram matrix is made of: of those below the diagonal only the transposes are computed.
    private static let block = 384

    /// Xᵀ · X.
    private func symmetricProduct(_ input: Tensor, _ transposed: Tensor) throws -> Tensor {
        guard inputs >= 2 * Self.block else { return try transposed.matrixProduct(input) }
        let result = try Tensor(empty: [inputs, inputs])
        for start in stride(from: 0, to: inputs, by: Self.block) {
            let count = min(Self.block, inputs - start)
            let own = try transposed.rows(from: start, count: count)
            let part = try own.matrixProduct(input.columns(from: start, count: inputs - start))
            try result.rows(from: start, count: count).columns(from: start, count: inputs - start).copy(part)
            guard start + count < inputs else { continue }
            let rest = try part.columns(from: count, count: inputs - start - count).transposed()
            try result.rows(from: start + count, count: inputs - start - count).columns(from: start, count: count)
                .copy(rest)
        }
        return result
    }

    private func add(_ sum: Tensor, _ part: Tensor, rows: Range<Int>, columns: Range<Int>?) throws {
        var target = try sum.rows(from: rows.lowerBound, count: rows.count)
        if let columns { target = try target.columns(from: columns.lowerBound, count: columns.count) }
        try target.add(part)
    }

    /// Puts the task's sums, divided by its rows, to those of the others.
    func finishTask() throws {
        defer { ownRows = 0 }
        guard ownRows > 0 else { return }
        try gram.add(ownGram, alpha: 1 / Double(ownRows))
        try cross.add(ownCross, alpha: 1 / Double(ownRows))
        try ownGram.multiply(by: 0)
        try ownCross.multiply(by: 0)
    }

    /// Mean of the Gram matrix's diagonal: what λ is relative to. 0 where every input is 0.
    private func scale() throws -> Double {
        let diagonal = try Tensor.one("aten::diagonal", [.tensor(gram)])
        return try diagonal.sum().item() / Double(gram.shape[0])
    }

    /// W that minimises Σ |X W − Y|² / n + λ · scale · |W − start|², [inputs, outputs] in float64. Nil where the inputs
    /// say nothing: all zero, or not finite.
    func solution(ridge: Double, start: Tensor) throws -> Tensor? {
        let scale = try scale()
        guard scale > 0, scale.isFinite else { return nil }
        let strength = ridge * scale
        let left = try gram.clone()
        let diagonal = try Tensor.one("aten::diagonal", [.tensor(left)])
        try diagonal.add(.one("aten::ones_like", [.tensor(diagonal)]), alpha: strength)
        let right = try cross.adding(start, alpha: strength)
        return try TorchRuntime.withoutGradients {
            let factor = try Tensor.one("aten::linalg_cholesky", [.tensor(left)])
            return try .one("aten::cholesky_solve", [.tensor(right), .tensor(factor)])
        }
    }
}
