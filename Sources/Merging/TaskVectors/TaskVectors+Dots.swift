internal import Torch

extension TaskVectors {
    /// Adds ⟨∂L/∂θm(j), τ(i,j)⟩ for every task i to `dots`, in the order of the weights' values: per row and column
    /// where the layer has weights for them. `gradient` holds the layer's elements.
    func addDots(
        gradient: UnsafePointer<Float>, of layer: Int, _ weights: MergingWeights, into dots: inout [Double]
    ) throws {
        try unsafe forEachPiece(of: layer) { piece in
            try unsafe addDots(gradient + piece.elements.lowerBound, piece, layer, weights, &dots)
        }
    }

    /// The same of a gradient of which only some rows are not zero. It is never whole; where a piece has none of its
    /// rows, nothing is read.
    func addDots(rows: RowSum, of layer: Int, _ weights: MergingWeights, into dots: inout [Double]) throws {
        try unsafe forEachPiece(of: layer, where: rows.occurs) { piece in
            try unsafe rows.elements(piece.elements).withUnsafeBufferPointer { gradient in
                guard let start = gradient.baseAddress else { return }
                try unsafe addDots(start, piece, layer, weights, &dots)
            }
        }
    }

    private func addDots(
        _ gradient: UnsafePointer<Float>, _ piece: Piece, _ layer: Int, _ weights: MergingWeights,
        _ dots: inout [Double]
    ) throws {
        if unsafe !piece.vectors.isEmpty { try unsafe addWhole(gradient, piece, layer, weights, &dots) }
        if unsafe !piece.updates.isEmpty { try unsafe addStructured(gradient, piece, layer, weights, &dots) }
    }

    private func addWhole(
        _ gradient: UnsafePointer<Float>, _ piece: Piece, _ layer: Int, _ weights: MergingWeights,
        _ dots: inout [Double]
    ) throws {
        let rows = unsafe piece.rows
        let owners = unsafe piece.owners
        let stride = unsafe piece.elements.count / rows.count
        let gains = owners.flatMap { weights.gains(task: $0, layer: layer).map(Float.init) }
        var products: (rows: [Double], columns: [Double]) = ([], [])
        if gains.isEmpty {
            products.rows = try unsafe MergeKernel.dots(
                gradient: gradient, origin: piece.origin, vectors: piece.vectors, rows: rows.count, stride: stride)
        } else {
            let coefficients = owners.flatMap { task in
                weights.coefficients(task: task, layer: layer, rows: rows).map(Float.init)
            }
            products = try unsafe MergeKernel.gatedDots(
                gradient: gradient, origin: piece.origin, vectors: piece.vectors, coefficients: coefficients,
                gains: gains, rows: rows.count, stride: stride)
        }
        add(products, of: owners, layer, rows, weights, &dots)
    }

    private func addStructured(
        _ gradient: UnsafePointer<Float>, _ piece: Piece, _ layer: Int, _ weights: MergingWeights,
        _ dots: inout [Double]
    ) throws {
        let rows = unsafe piece.rows
        let owners = unsafe piece.updateOwners
        let own = owners.map { self.weights(weights, of: $0, layer: layer, rows: rows) }
        var products = try unsafe MergeKernel.structuredDots(
            gradient: gradient, origin: piece.origin, updates: piece.updates, weights: own, rows: piece.matrix.rows,
            columns: piece.matrix.columns)
        if weights.rows[layer] == 1 {
            let count = products.rows.count / owners.count
            products.rows = owners.indices.map { place in
                products.rows[place * count..<(place + 1) * count].reduce(0, +)
            }
        }
        add(products, of: owners, layer, rows, weights, &dots)
    }

    /// Puts task-major products to the weights that they belong to.
    private func add(
        _ products: (rows: [Double], columns: [Double]), of owners: [Int], _ layer: Int, _ rows: Range<Int>,
        _ weights: MergingWeights, _ dots: inout [Double]
    ) {
        let columns = products.columns.count / max(1, owners.count)
        for (place, task) in owners.enumerated() {
            let first = weights.range(task: task, layer: layer).lowerBound + rows.lowerBound
            for row in 0..<rows.count { dots[first + row] += products.rows[place * rows.count + row] }
            for (column, target) in weights.columnRange(task: task, layer: layer).enumerated() {
                dots[target] += products.columns[place * columns + column]
            }
        }
    }
}
