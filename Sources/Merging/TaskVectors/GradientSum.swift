internal import Torch

/// Σᵢ ∂Lᵢ/∂θm(j) over the tasks of one step, so that the task vectors are read once a step and not once for every task.
///
/// Memory: one float32 copy of the trained tensors, but for tables that are only looked up (`RowSum`), from the first
/// task's backward pass until the last one's is over; with one task nothing is kept of what comes whole.
final class GradientSum {
    private var sums: [Int: Tensor] = [:]

    /// Layers whose sum waits for another gradient.
    var layers: [Int] { sums.keys.sorted() }

    func add(_ gradient: Tensor, of layer: Int) throws {
        sums[layer] = try added(gradient, to: sums.removeValue(forKey: layer))
    }

    /// Adds leftᵀ · right without forming it.
    func add(left: Tensor, right: Tensor, of layer: Int) throws {
        let transposed = try left.transposed()
        guard let sum = sums.removeValue(forKey: layer) else {
            sums[layer] = try transposed.matrixProduct(right)
            return
        }
        let own = sum.isUnshared ? sum : try sum.clone()
        try own.addMatrixProduct(transposed, right)
        sums[layer] = own
    }

    /// The sum with the last gradient, in float32 and contiguous; forgotten here.
    func take(_ layer: Int, adding last: Tensor? = nil) throws -> Tensor? {
        let sum = sums.removeValue(forKey: layer)
        guard let last else { return sum }
        return try added(last, to: sum)
    }

    /// The engine may hand one tensor to several layers; such a sum is not written to.
    private func added(_ gradient: Tensor, to sum: Tensor?) throws -> Tensor {
        let gradient = try gradient.to(.float32).contiguous()
        guard let sum else { return gradient }
        guard sum.isUnshared else { return try sum.adding(gradient) }
        try sum.add(gradient)
        return sum
    }
}
