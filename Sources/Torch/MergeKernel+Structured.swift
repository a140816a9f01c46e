import CKernels

extension MergeKernel {
    /// How one task changes some rows of a matrix, in float32.
    package struct Update: Sendable {
        package enum Kind: Sendable {
            /// left [rows, rank] times right [rank, columns].
            case lowRank(rank: Int)
            /// left [rows] times the origin's rows.
            case rowGains
            /// right [columns] times the origin's columns.
            case columnGains
        }

        package var kind: Kind
        /// Of the whole matrix; empty for gains of columns.
        package var left: [Float]
        package var right: [Float]

        package init(_ kind: Kind, left: [Float], right: [Float]) {
            self.kind = kind
            self.left = left
            self.right = right
        }

        /// Elements of `left` for each row.
        var width: Int { if case .lowRank(let rank) = kind { rank } else { 1 } }
    }

    /// Coefficients of one task's vector: one, one for each row, or one for each element; and gains, one for each
    /// column or none.
    package struct Weights: Sendable {
        package var coefficients: [Float]
        package var gains: [Float]

        package init(coefficients: [Float], gains: [Float] = []) {
            self.coefficients = coefficients
            self.gains = gains
        }

        func granularity(rows: Int, columns: Int) -> Int32 {
            if coefficients.count == 1 { return Int32(CK_ONE.rawValue) }
            precondition(
                coefficients.count == rows || coefficients.count == rows * columns, "coefficients for other rows")
            return Int32(coefficients.count == rows ? CK_EACH_ROW.rawValue : CK_EACH_ELEMENT.rawValue)
        }
    }

    /// origin + Σᵢ the weighted vectorᵢ − origin + Σₖ the weighted updateₖ in float32 over rows `rows` of a matrix,
    /// rounded once to `dtype`. `weights` holds those of the vectors, then those of the updates.
    package static func structuredSum(
        origin: Piece, vectors: [Piece], updates: [Update], weights: [Weights], rows: Range<Int>, columns: Int,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        unsafe precondition(
            weights.count == vectors.count + updates.count, "one set of weights for each vector and update")
        let pieces = unsafe vectors.map { unsafe $0.c }
        let buffers = StructureBuffers(updates, weights, rows: rows, columns: columns)
        try withExtendedLifetime(buffers) {
            try TorchError.check { error in
                unsafe ck_structured_sum(
                    origin.c, pieces, Int64(pieces.count), buffers.updates, Int64(updates.count), buffers.weights,
                    Int64(rows.count), Int64(columns), result, dtype.code, error)
            }
        }
    }

    /// ⟨G, τₖ · gₖ⟩ of every row of every update, update-major, or of every element where there are coefficients for
    /// each; and where there are gains ⟨G, cₖ · τₖ⟩ of every column. The order of the sums does not depend on the
    /// number of threads.
    package static func structuredDots(
        gradient: UnsafePointer<Float>, origin: Piece, updates: [Update], weights: [Weights], rows: Range<Int>,
        columns: Int
    ) throws -> (rows: [Double], columns: [Double]) {
        precondition(weights.count == updates.count && !updates.isEmpty, "one set of weights for each update")
        let buffers = StructureBuffers(updates, weights, rows: rows, columns: columns)
        let isEach = weights[0].granularity(rows: rows.count, columns: columns) == Int32(CK_EACH_ELEMENT.rawValue)
        let hasGains = !weights[0].gains.isEmpty
        var products = [Double](repeating: 0, count: updates.count * rows.count * (isEach ? columns : 1))
        var columnProducts = [Double](repeating: 0, count: hasGains ? updates.count * columns : 0)
        try withExtendedLifetime(buffers) {
            try TorchError.check { error in
                unsafe products.withUnsafeMutableBufferPointer { products in
                    unsafe columnProducts.withUnsafeMutableBufferPointer { columnProducts in
                        unsafe ck_structured_dots(
                            gradient, origin.c, buffers.updates, Int64(updates.count), buffers.weights,
                            Int64(rows.count),
                            Int64(columns), products.baseAddress!, hasGains ? columnProducts.baseAddress : nil, error)
                    }
                }
            }
        }
        return (products, columnProducts)
    }

    /// Σᵣ left(r,c) · right(r,c) over the rows of every segment, segment-major, in double precision. `segments` are the
    /// lengths of what follows one another on the first axis of two contiguous float32 matrices of one shape.
    package static func dots(_ left: Tensor, _ right: Tensor, segments: [Int]) throws -> [Double] {
        let shape = left.shape
        precondition(
            shape.count == 2 && shape == right.shape && shape[0] == segments.reduce(0, +)
                && left.dtype == .float32 && right.dtype == .float32, "segments of other matrices")
        var products = [Double](repeating: 0, count: segments.count * shape[1])
        let lengths = segments.map(Int64.init)
        try unsafe left.withUnsafeMutableBytes { left in
            try unsafe right.withUnsafeMutableBytes { right in
                guard let first = unsafe left.assumingMemoryBound(to: Float.self).baseAddress,
                    let second = unsafe right.assumingMemoryBound(to: Float.self).baseAddress
                else { return }
                try TorchError.check { error in
                    unsafe ck_segment_dots(
                        first, second, lengths, Int64(lengths.count), Int64(shape[1]), &products, error)
                }
            }
        }
        return products
    }
}
