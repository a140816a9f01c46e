internal import Adapters
internal import Safetensors
internal import Torch

extension TaskVectors {
    /// How τ(i,j) is given; nil where it is the difference of two tensors.
    func structure(_ task: Int, _ layer: Int) -> TensorUpdate.Structure? {
        tasks[task].adapter?.updates[layers[layer].name]?.structure
    }

    /// The rank of τ(i,j) where it is a product of two thin matrices and nothing else; else nil.
    func lowRank(_ task: Int, _ layer: Int) -> Int? {
        guard !replaced[task][layer], case .lowRank(_, _, let rank, _) = structure(task, layer) else { return nil }
        return rank
    }

    /// The factors of τ(i,j) in float32; nil where it has no structure. Memory: theirs, a few rows and columns of the
    /// layer.
    func update(of task: Int, layer: Int) throws -> MergeKernel.Update? {
        guard let adapter = tasks[task].adapter, let structure = structure(task, layer) else { return nil }
        return try factors.update(task: task, layer: layer, keeps: keepsRead) {
            try structure.read(from: adapter.file, of: tasks[task].name)
        }
    }

    /// How the elements of a task's vector count in a merge of some rows that have weights.
    func weights(
        _ weights: MergingWeights, of task: Int, layer: Int, rows: Range<Int>
    ) -> MergeKernel.Weights {
        MergeKernel.Weights(
            coefficients: weights.coefficients(task: task, layer: layer, rows: rows).map(Float.init),
            gains: weights.gains(task: task, layer: layer).map(Float.init))
    }
}

extension TensorUpdate.Structure {
    /// The factors as the kernels take them: the scale is in the left one, and gains are what they differ from 1.
    fileprivate func read(from file: SafetensorsFile, of task: String) throws -> MergeKernel.Update {
        switch self {
        case .lowRank(let left, let right, let rank, let scale):
            let factor = Float(scale)
            return MergeKernel.Update(
                .lowRank(rank: rank), left: try left.floats(from: file, of: task).map { $0 * factor },
                right: try right.floats(from: file, of: task))
        case .rowGains(let vector):
            return MergeKernel.Update(
                .rowGains, left: try vector.floats(from: file, of: task).map { $0 - 1 }, right: [])
        case .columnGains(let vector, let repeats):
            let gains = try vector.floats(from: file, of: task).map { $0 - 1 }
            return MergeKernel.Update(
                .columnGains, left: [], right: gains.flatMap { [Float](repeating: $0, count: repeats) })
        }
    }
}

extension TensorUpdate.Factor {
    /// The tensor's elements, row by row; of its transpose where it is to be read so.
    fileprivate func floats(from file: SafetensorsFile, of task: String) throws -> [Float] {
        guard !name.isEmpty else { return [1] }
        guard let entry = file.entry(name) else { throw MergeError.task(task, "the adapter has no tensor \(name)") }
        let stored = try file.floats(entry)
        var values = stored
        if isTransposed, entry.shape.count == 2 {
            let (rows, columns) = (entry.shape[0], entry.shape[1])
            values = (0..<columns).flatMap { column in (0..<rows).map { stored[$0 * columns + column] } }
        }
        guard let rows, let first = isTransposed ? entry.shape.last : entry.shape.first, first > 0 else {
            return values
        }
        let wanted = rows * (values.count / first)
        return values.prefix(wanted) + [Float](repeating: 0, count: max(0, wanted - values.count))
    }
}

extension MergeKernel.Update {
    /// Whether it changes nothing; gains of zeros do not.
    func isZero(overZeros: Bool) -> Bool {
        let isEmpty = { (values: [Float]) in values.allSatisfy { $0 == 0 } }
        switch kind {
        case .lowRank: return isEmpty(left) || isEmpty(right)
        case .rowGains: return overZeros || isEmpty(left)
        case .columnGains: return overZeros || isEmpty(right)
        }
    }

    var isFinite: Bool { left.allSatisfy(\.isFinite) && right.allSatisfy(\.isFinite) }
}
