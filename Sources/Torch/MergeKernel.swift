import CKernels

/// The two sums of a merge, over pieces of tensors in plain memory that are converted to float32 on the way.
package enum MergeKernel {
    /// Elements in memory that somebody else owns.
    @unsafe
    package struct Piece {
        package var bytes: UnsafeRawPointer
        package var dtype: DType

        package init(_ bytes: UnsafeRawPointer, _ dtype: DType) {
            unsafe self.bytes = unsafe bytes
            unsafe self.dtype = dtype
        }

        var c: ck_piece { unsafe ck_piece(bytes: bytes, dtype: dtype.code) }
    }

    /// ⟨G, τᵢ⟩ over each of `rows` rows of `stride` elements, task-major; τᵢ = vector − origin. The order of the sums
    /// does not depend on the number of threads.
    package static func dots(
        gradient: UnsafePointer<Float>, origin: Piece, vectors: [Piece], rows: Int, stride: Int
    ) throws -> [Double] {
        var products = unsafe [Double](repeating: 0, count: vectors.count * rows)
        let pieces = unsafe vectors.map { unsafe $0.c }
        try TorchError.check { error in
            unsafe ck_merge_dots(
                gradient, origin.c, pieces, Int64(pieces.count), Int64(rows), Int64(stride), &products, error)
        }
        return products
    }

    /// `dots` where an element of row r and column c counts cᵢ(r) · gᵢ(c) times: ⟨G, τᵢ · gᵢ⟩ of every row, and ⟨G, cᵢ
    /// · τᵢ⟩ of every column. `coefficients` and `gains` are task-major, and so is what is returned.
    package static func gatedDots(
        gradient: UnsafePointer<Float>, origin: Piece, vectors: [Piece], coefficients: [Float], gains: [Float],
        rows: Int, stride: Int
    ) throws -> (rows: [Double], columns: [Double]) {
        var products = unsafe [Double](repeating: 0, count: vectors.count * rows)
        var columns = unsafe [Double](repeating: 0, count: vectors.count * stride)
        let pieces = unsafe vectors.map { unsafe $0.c }
        try TorchError.check { error in
            unsafe ck_merge_gated_dots(
                gradient, origin.c, pieces, coefficients, gains, Int64(pieces.count), Int64(rows), Int64(stride),
                &products, &columns, error)
        }
        return (products, columns)
    }

    /// origin + Σᵢ cᵢ · gᵢ · (vectorᵢ − origin) in float32, rounded once to `dtype`; `coefficients` are task-major, one
    /// for each row, and so are `gains`, one for each column, or none where all are 1.
    package static func sum(
        origin: Piece, vectors: [Piece], coefficients: [Float], gains: [Float] = [], rows: Int, stride: Int,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let pieces = unsafe vectors.map { unsafe $0.c }
        try TorchError.check { error in
            unsafe ck_merge_sum(
                origin.c, pieces, coefficients, gains.isEmpty ? nil : gains, Int64(pieces.count), Int64(rows),
                Int64(stride), result, dtype.code,
                error)
        }
    }
}
