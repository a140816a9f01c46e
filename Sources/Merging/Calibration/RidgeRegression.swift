internal import Torch

/// The sums of a least-squares problem, X W ≈ Y over all tasks, each by the mean over its rows, in float64.
///
/// Memory: half of (inputs + 1)² and (inputs + 1) · outputs doubles; the same again while a task is added whose rows
/// are not known before.
final class RidgeRegression {
    /// Σ XᵀX / n, with a last row and column for the column of ones where there is a bias.
    private let gram: GramMatrix
    /// Σ XᵀY / n, [inputs, outputs].
    private let cross: Tensor
    /// The task's that is being added, where its rows are not known.
    private var own: (gram: GramMatrix, cross: Tensor)?
    private var ownRows = 0
    /// Those that the task is known to have.
    private var expectedRows: Int?
    private let inputs: Int
    private let hasBias: Bool
    private let countsRows: Bool

    /// `countsRows`: a task counts by the sum over its rows, not by the mean.
    init(inputs: Int, outputs: Int, hasBias: Bool, countsRows: Bool = false) throws {
        let width = inputs + (hasBias ? 1 : 0)
        (self.inputs, self.hasBias, self.countsRows) = (inputs, hasBias, countsRows)
        gram = try GramMatrix(width: width)
        cross = try .zeros([width, outputs], .float64)
    }

    /// Says how many rows the next task has.
    func expect(rows: Int) { expectedRows = rows }

    /// Adds rows of the task at hand: `input` [rows, inputs] and `target` [rows, outputs] in one type; without targets
    /// to the Gram matrix alone.
    func add(_ input: Tensor, _ target: Tensor? = nil) throws {
        let rows = input.shape[0]
        guard rows > 0 else { return }
        ownRows += rows
        let sums = try expectedRows == nil ? ownSums() : (gram: gram, cross: cross)
        let share = expectedRows.map { 1 / Double($0) } ?? 1
        let input = try hasBias ? .concatenated([input, Self.ones([rows, 1])], axis: 1) : input
        try sums.gram.add(input, alpha: share)
        if let target { try sums.cross.add(input.transposed().matrixProduct(target), alpha: share) }
    }

    private static func ones(_ shape: [Int]) throws -> Tensor {
        try Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape)
    }

    private func ownSums() throws -> (gram: GramMatrix, cross: Tensor) {
        if let own { return own }
        let new = (gram: try GramMatrix(width: gram.width), cross: try Tensor.zeros(cross.shape, .float64))
        own = new
        return new
    }

    /// Puts the task's sums, divided by its rows, to those of the others.
    func finishTask() throws {
        defer { (own, ownRows, expectedRows) = (nil, 0, nil) }
        if let expectedRows, expectedRows != ownRows, ownRows > 0 {
            throw TorchError("\(ownRows) rows were added where \(expectedRows) were expected")
        }
        guard let own else { return }
        let share = countsRows ? 1 : 1 / Double(ownRows)
        try gram.add(own.gram, alpha: share)
        try cross.add(own.cross, alpha: share)
    }

    /// The same where the targets are those that `weight` [inputs, outputs] gives, with `share` of the Gram matrix off
    /// its diagonal; nil: all.
    func finishTask(share: Double?, weight: Tensor) throws {
        guard let own else { return }
        if let share { try own.gram.multiplyOffDiagonal(by: share) }
        try own.cross.copy(own.gram.product(weight))
        try finishTask()
    }

    /// W that minimises Σ |X W − Y|² / n + λ · s · |W − start|², s the mean of the Gram matrix's diagonal, [inputs,
    /// outputs] in float64. Nil where the inputs say nothing: all zero, or not finite. `start` [inputs, outputs]. The
    /// sums are used up.
    func solution(ridge: Double, start: Tensor) throws -> Tensor? {
        let scale = try gram.meanDiagonal()
        guard scale > 0, scale.isFinite else { return nil }
        let strength = ridge * scale
        try gram.addDiagonal(strength)
        let step = 1024
        for row in stride(from: 0, to: gram.width, by: step) {
            let count = min(step, gram.width - row)
            try cross.rows(from: row, count: count).add(start.rows(from: row, count: count), alpha: strength)
        }
        try gram.solve(cross)
        return cross
    }
}
