internal import Adapters
internal import Safetensors
internal import Torch

extension MergedAdapter {
    /// A [Σr, …] and B [out, Σr, …] of one module: the tasks' factors side by side, with their scales and coefficients in what
    /// the base's rows belong to and their gains in what its columns do.
    func factors(of index: Int, in module: String, _ weights: MergingWeights) throws -> [Part] {
        let layer = workbench.layers[index]
        let owners = owners(of: index)
        guard let adapter = workbench.tasks[owners[0]].adapter,
            case .lowRank(let left, let right, _, _)? = adapter.updates[layer.name]?.structure,
            let a = adapter.file.entry(left.isTransposed ? left.name : right.name),
            let b = adapter.file.entry(left.isTransposed ? right.name : left.name)
        else { throw fault(workbench.tasks[owners[0]], "\(layer.name) has no factors; set adapter to false") }
        for task in owners.dropFirst() {
            guard case .lowRank(let own, _, _, _)? = workbench.tasks[task].adapter?.updates[layer.name]?.structure,
                own.isTransposed == left.isTransposed
            else {
                throw fault(
                    workbench.tasks[task], "\(layer.name) lies the other way round there; set adapter to false")
            }
        }
        let product = try product(of: index, owners, weights)
        let (rank, columns) = (product.rank, layer.matrixColumns)
        let rows = product.left.count / rank
        let isTurned = left.isTransposed
        let isEmbedding = a.name.hasSuffix(".lora_embedding_A")
        let names = isEmbedding ? [".lora_embedding_A", ".lora_embedding_B"] : [".lora_A.weight", ".lora_B.weight"]
        return [
            Part(
                slot: .init(
                    name: Self.prefix + module + names[0], dtype: .f32, shape: [rank] + a.shape.dropFirst()),
                values: isTurned ? Self.transposed(product.left, rows: rows, columns: rank) : product.right),
            Part(
                slot: .init(
                    name: Self.prefix + module + names[1], dtype: .f32,
                    shape: [b.shape[0], rank] + b.shape.dropFirst(2)),
                values: isTurned ? Self.transposed(product.right, rows: rank, columns: columns) : product.left),
        ]
    }

    /// [diag(cᵢ) sᵢ Lᵢ …], [rows, Σr], and [Rᵢ diag(gᵢ) …], [Σr, columns].
    private func product(
        of index: Int, _ owners: [Int], _ weights: MergingWeights
    ) throws -> (left: [Float], right: [Float], rank: Int) {
        let updates = try owners.map { try workbench.vectors.update(of: $0, layer: index) }
        let ranks = updates.map { update in if case .lowRank(let rank)? = update?.kind { rank } else { 0 } }
        let rank = ranks.reduce(0, +)
        let columns = workbench.layers[index].matrixColumns
        let rows = workbench.layers[index].elementCount / max(1, columns)
        var left = [Float](repeating: 0, count: rows * rank)
        var right: [Float] = []
        var start = 0
        for ((owner, own), update) in zip(zip(owners, ranks), updates) {
            guard let update else { continue }
            let coefficients = Coefficients.of(owner, index, weights, workbench.vectors).map(Float.init)
            for row in 0..<rows {
                let coefficient = coefficients[coefficients.count == 1 ? 0 : row]
                for place in 0..<own {
                    left[row * rank + start + place] = coefficient * update.left[row * own + place]
                }
            }
            let gains = weights.gains(task: owner, layer: index).map(Float.init)
            right +=
                gains.isEmpty
                ? update.right : update.right.indices.map { update.right[$0] * gains[$0 % columns] }
            start += own
        }
        return (left, right, rank)
    }

    private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
    }
}
