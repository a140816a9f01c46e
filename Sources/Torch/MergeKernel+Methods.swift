import CKernels

extension MergeKernel {
    /// Bins of `countMagnitudes` by the upper 16 of a magnitude's 31 bits, and by the lower 15.
    package static let upperBins = CK_MAGNITUDE_UPPER
    package static let lowerBins = CK_MAGNITUDE_LOWER

    /// Adds to `bins` how many |vector − origin| in float32 have which upper bits, or, of those with the upper bits
    /// `upper`, which lower bits. Exact, and without sorting: two passes find any rank.
    package static func countMagnitudes(
        origin: Piece, vector: Piece, elements: Int, upper: Int? = nil, into bins: inout [Int64]
    ) throws {
        precondition(bins.count >= (upper == nil ? upperBins : lowerBins))
        try TorchError.check { error in
            unsafe ck_count_magnitudes(origin.c, vector.c, Int64(elements), Int32(upper ?? -1), &bins, error)
        }
    }

    /// TIES-Merging of one piece: origin + factor · the mean of the differences that are at least as large as their
    /// task's threshold and have the elected sign, rounded once to `dtype`.
    package static func ties(
        origin: Piece, vectors: [Piece], thresholds: [Float], elements: Int, factor: Float,
        into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let pieces = unsafe vectors.map { unsafe $0.c }
        try TorchError.check { error in
            unsafe ck_merge_ties(
                origin.c, pieces, thresholds, Int64(pieces.count), Int64(elements), factor, result, dtype.code, error)
        }
    }

    /// DARE of one piece whose first element has the number `first`: origin + Σᵢ cᵢ / share · what is drawn of vectorᵢ
    /// − origin.
    package static func dare(
        origin: Piece, vectors: [Piece], coefficients: [Float], seeds: [UInt64], first: Int, elements: Int,
        share: Double, into result: UnsafeMutableRawPointer, _ dtype: DType
    ) throws {
        let pieces = unsafe vectors.map { unsafe $0.c }
        try TorchError.check { error in
            unsafe ck_merge_dare(
                origin.c, pieces, coefficients, seeds, Int64(pieces.count), Int64(first), Int64(elements), share,
                result,
                dtype.code, error)
        }
    }
}
