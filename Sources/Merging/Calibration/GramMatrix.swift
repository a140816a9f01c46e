internal import Torch

/// A sum of XᵀX in float64, of which the blocks on and above the diagonal are held, and its Cholesky factor in their
/// place.
///
/// Memory: 4 · width · (width + 512) bytes. Order of all sums: fixed.
final class GramMatrix {
    let width: Int
    private let blocks: [Block]

    private static let blockRows = 512

    /// Some rows, from the diagonal to the last column: [count, width − start].
    private struct Block {
        let start: Int
        let count: Int
        let values: Tensor

        var end: Int { start + count }
        /// Of the columns behind the diagonal block.
        func panel(from column: Int, to end: Int) throws -> Tensor {
            try values.columns(from: column - start, count: end - column)
        }
        func diagonal() throws -> Tensor { try values.columns(from: 0, count: count) }
    }

    /// Zeros.
    init(width: Int) throws {
        self.width = width
        blocks = try stride(from: 0, to: width, by: Self.blockRows).map { start in
            let count = min(Self.blockRows, width - start)
            return Block(start: start, count: count, values: try .zeros([count, width - start], .float64))
        }
    }

    /// Adds α · XᵀX of some rows [rows, width], multiplied in their own type.
    func add(_ input: Tensor, alpha: Double = 1) throws {
        let transposed = try input.transposed()
        for block in blocks {
            let own = try transposed.rows(from: block.start, count: block.count)
            let part = try own.matrixProduct(input.columns(from: block.start, count: width - block.start))
            try block.values.add(part, alpha: alpha)
        }
    }

    /// Adds α times another one of the same width.
    func add(_ other: GramMatrix, alpha: Double) throws {
        for (own, block) in zip(blocks, other.blocks) { try own.values.add(block.values, alpha: alpha) }
    }

    /// Adds to every element of the diagonal.
    func addDiagonal(_ value: Double) throws {
        for block in blocks {
            let diagonal = try Tensor.one("aten::diagonal", [.tensor(block.values)])
            try diagonal.add(.one("aten::ones_like", [.tensor(diagonal)]), alpha: value)
        }
    }

    /// Multiplies everything off the diagonal.
    func multiplyOffDiagonal(by share: Double) throws {
        for block in blocks {
            let diagonal = try Tensor.one("aten::diagonal", [.tensor(block.values)])
            let kept = try diagonal.clone()
            try block.values.multiply(by: share)
            try diagonal.copy(kept)
        }
    }

    /// The mean of the diagonal.
    func meanDiagonal() throws -> Double {
        try blocks.reduce(0) {
            try $0 + Tensor.one("aten::diagonal", [.tensor($1.values)]).sum().item()
        } / Double(width)
    }

    /// The product with a matrix [width, columns] in float64.
    func product(_ right: Tensor) throws -> Tensor {
        let result = try Tensor.zeros(right.shape, .float64)
        for block in blocks {
            let rows = try result.rows(from: block.start, count: block.count)
            let rest = try right.rows(from: block.start, count: width - block.start)
            try rows.addMatrixProduct(block.values, rest)
            guard block.end < width else { continue }
            let below = try result.rows(from: block.end, count: width - block.end)
            let own = try right.rows(from: block.start, count: block.count)
            try below.addMatrixProduct(block.panel(from: block.end, to: width).transposed(), own)
        }
        return result
    }

    /// Solves G · X = `right` [width, columns], float64, in its place, and leaves the factor where G was: UᵀU, block by
    /// block (Golub and Van Loan, Matrix Computations, 4.2.6). Throws where G is not positive definite.
    func solve(_ right: Tensor) throws {
        try TorchRuntime.withoutGradients {
            try factorise()
            for block in blocks {
                let own = try right.rows(from: block.start, count: block.count)
                try own.copy(Self.solved(block.diagonal(), own, isUpper: false))
                guard block.end < width else { continue }
                let rest = try right.rows(from: block.end, count: width - block.end)
                try rest.addMatrixProduct(block.panel(from: block.end, to: width).transposed(), own, alpha: -1)
            }
            for block in blocks.reversed() {
                let own = try right.rows(from: block.start, count: block.count)
                if block.end < width {
                    let rest = try right.rows(from: block.end, count: width - block.end)
                    try own.addMatrixProduct(block.panel(from: block.end, to: width), rest, alpha: -1)
                }
                try own.copy(Self.solved(block.diagonal().transposed(), own, isUpper: true))
            }
        }
    }

    /// Each diagonal block becomes Uᵀ of its own, the others U.
    private func factorise() throws {
        for (number, block) in blocks.enumerated() {
            let diagonal = try block.diagonal()
            try diagonal.copy(.one("aten::linalg_cholesky", [.tensor(diagonal)]))
            guard block.end < width else { continue }
            let panel = try block.panel(from: block.end, to: width)
            try panel.copy(Self.solved(diagonal, panel, isUpper: false))
            for later in blocks[(number + 1)...] {
                let left = try block.panel(from: later.start, to: later.end).transposed()
                try later.values.addMatrixProduct(left, block.panel(from: later.start, to: width), alpha: -1)
            }
        }
    }

    private static func solved(_ triangle: Tensor, _ right: Tensor, isUpper: Bool) throws -> Tensor {
        try .one("aten::linalg_solve_triangular", [.tensor(triangle), .tensor(right), .bool(isUpper)])
    }
}
