internal import Adapters
internal import Safetensors
internal import Torch

extension MergedAdapter {
    /// How a module's factors lie: `a` and `b` as the first task's file has them.
    private struct Layout {
        var a: TensorEntry
        var b: TensorEntry
        /// Whether A stands for the base's rows.
        var isTurned: Bool
        var rank: Int

        var isEmbedding: Bool { a.name.hasSuffix(".lora_embedding_A") }
    }

    /// Factors can be put side by side where they lie the same way round.
    func checkFactors() throws {
        for index in modules.keys.sorted() {
            let owners = owners(of: index)
            let layouts = owners.map { layout(of: index, [$0]) }
            if let place = layouts.firstIndex(where: {
                $0?.isTurned != layouts[0]?.isTurned || $0?.isEmbedding != layouts[0]?.isEmbedding
            }) {
                throw fault(
                    context.tasks[owners[place]],
                    "its factors of \(context.layers[index].name) lie the other way round than those of "
                        + "\(context.tasks[owners[0]].name); set adapter to false")
            }
        }
    }

    /// A [Σr, …] and B [out, Σr, …] of one module.
    func factorSlots(of index: Int, in module: String) -> [SafetensorsWriter.Slot] {
        guard let layout = layout(of: index, owners(of: index)) else { return [] }
        let names =
            layout.isEmbedding ? [".lora_embedding_A", ".lora_embedding_B"] : [".lora_A.weight", ".lora_B.weight"]
        let shapes = [
            [layout.rank] + layout.a.shape.dropFirst(), [layout.b.shape[0], layout.rank] + layout.b.shape.dropFirst(2),
        ]
        return zip(names, shapes).map { .init(name: Self.prefix + module + $0, dtype: .f32, shape: $1) }
    }

    /// Their elements: the tasks' factors side by side, with scales and coefficients in the one that belongs to the
    /// base's rows and gains in the other.
    func factors(of index: Int, _ weights: MergingWeights) throws -> [[Float]] {
        guard let layout = layout(of: index, owners(of: index)) else { return [] }
        let (left, right) = try product(of: index, rank: layout.rank, weights)
        guard layout.isTurned else { return [right, left] }
        let columns = right.count / layout.rank
        return [
            Self.transposed(left, rows: left.count / layout.rank, columns: layout.rank),
            Self.transposed(right, rows: layout.rank, columns: columns),
        ]
    }

    private func layout(of index: Int, _ owners: [Int]) -> Layout? {
        let name = context.layers[index].name
        let ranks = owners.map { task in
            if case .lowRank(_, _, let rank, _)? = context.tasks[task].adapter?.updates[name]?.structure {
                rank
            } else {
                0
            }
        }
        guard let adapter = context.tasks[owners[0]].adapter,
            case .lowRank(let left, let right, _, _)? = adapter.updates[name]?.structure,
            let a = adapter.file.entry(left.isTransposed ? left.name : right.name),
            let b = adapter.file.entry(left.isTransposed ? right.name : left.name)
        else { return nil }
        var layout = Layout(a: a, b: b, isTurned: left.isTransposed, rank: ranks.reduce(0, +))
        // A vocabulary that was cut or padded is written as the base has it.
        if let rows = left.rows, left.isTransposed { layout.a.shape[1] = rows }
        if let rows = left.rows, !left.isTransposed { layout.b.shape[0] = rows }
        return layout
    }

    /// [diag(cᵢ) sᵢ Lᵢ …], [rows, Σr], and [Rᵢ diag(gᵢ) …], [Σr, columns].
    private func product(
        of index: Int, rank: Int, _ weights: MergingWeights
    ) throws -> (left: [Float], right: [Float]) {
        let columns = context.layers[index].matrixColumns
        let rows = context.layers[index].elementCount / max(1, columns)
        var left = [Float](repeating: 0, count: rows * rank)
        var right: [Float] = []
        var start = 0
        for owner in owners(of: index) {
            guard let update = try context.vectors.update(of: owner, layer: index),
                case .lowRank(let own) = update.kind
            else { continue }
            let coefficients = Coefficients.of(owner, index, weights, context.vectors).map(Float.init)
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
        return (left, right)
    }

    private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
        (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
    }
}
