internal import Torch

extension Similarity {
    /// Cosines over the shared trunk between each of `tasks` (places among the sources) and every source, in one pass
    /// over the files: ⟨τa, τb⟩ summed over the layers that both move, norms over those that each moves.
    ///
    /// Memory: a piece of each file, as `TaskVectors` reads them, and one float32 piece. `progress` counts layers.
    init(of tasks: [Int], in vectors: TaskVectors, progress: (Int) throws -> Void) throws {
        let names = vectors.tasks.map(\.name)
        var products = [[Double]](repeating: Array(repeating: 0, count: names.count), count: names.count)
        for layer in vectors.layers.indices {
            let movers = vectors.movers(of: layer)
            try unsafe vectors.forEachPiece(of: layer, folding: true) { piece in
                let count = unsafe piece.elements.count
                for (place, task) in movers.enumerated() {
                    let others = movers.indices.filter { other in
                        other == place || tasks.contains(task) && !(tasks.contains(movers[other]) && other < place)
                    }
                    let difference = try unsafe piece.taskVector(place)
                    let dots = try unsafe difference.withUnsafeBufferPointer { difference in
                        try unsafe MergeKernel.dots(
                            gradient: difference.baseAddress!, origin: piece.origin,
                            vectors: others.map { unsafe piece.vectors[$0] }, rows: 1, stride: count)
                    }
                    for (dot, other) in zip(dots, others) { products[task][movers[other]] += dot }
                }
            }
            try progress(layer + 1)
        }
        self.init()
        for task in tasks {
            for other in names.indices where other != task {
                let norms = (products[task][task] * products[other][other]).squareRoot()
                let product = products[task][other] + products[other][task]
                let cosine = norms > 0 ? product / norms : 0
                self[names[task], names[other]] = cosine.isFinite ? cosine : 0
            }
        }
    }
}

extension TaskVectors.Piece {
    /// τ of one of the piece's vectors in float32.
    fileprivate func taskVector(_ place: Int) throws -> [Float] {
        var difference = try unsafe floats(vectors[place])
        let origin = try unsafe floats(origin)
        for index in difference.indices { difference[index] -= origin[index] }
        return difference
    }

    private func floats(_ piece: MergeKernel.Piece) throws -> [Float] {
        let count = unsafe elements.count
        return try unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try unsafe MergeKernel.sum(
                origin: piece, vectors: [], coefficients: [], rows: 1, stride: count, into: buffer.baseAddress!,
                .float32)
            initialized = count
        }
    }
}
