import CKernels

/// Updates and their weights as C takes them: pointers into arrays that this object keeps.
@safe
final class StructureBuffers {
    let updates: UnsafeMutablePointer<ck_update>
    let weights: UnsafeMutablePointer<ck_weights>
    private var floats: [UnsafeMutableBufferPointer<Float>] = unsafe []

    /// `rows` of matrices with `columns` columns; the weights are those of these rows alone.
    init(_ updates: [MergeKernel.Update], _ weights: [MergeKernel.Weights], rows: Range<Int>, columns: Int) {
        unsafe self.updates = .allocate(capacity: max(1, updates.count))
        unsafe self.weights = .allocate(capacity: max(1, weights.count))
        for (place, update) in updates.enumerated() {
            let width = update.width
            let kind: ck_structure
            switch update.kind {
            case .lowRank: kind = CK_LOW_RANK
            case .rowGains: kind = CK_ROW_GAINS
            case .columnGains: kind = CK_COLUMN_GAINS
            }
            var left: UnsafePointer<Float>?
            var right: UnsafePointer<Float>?
            if kind != CK_COLUMN_GAINS {
                precondition(update.left.count >= rows.upperBound * width, "a left factor with too few rows")
                unsafe left = copy(update.left[rows.lowerBound * width..<rows.upperBound * width])
            }
            if kind != CK_ROW_GAINS {
                precondition(update.right.count == columns * width, "a right factor of other columns")
                unsafe right = copy(update.right[...])
            }
            unsafe (self.updates + place).initialize(
                to: ck_update(kind: Int32(kind.rawValue), rank: Int64(width), left: left, right: right))
        }
        for (place, weight) in weights.enumerated() {
            precondition(weight.gains.isEmpty || weight.gains.count == columns, "gains of other columns")
            let granularity = weight.granularity(rows: rows.count, columns: columns)
            let coefficients = unsafe copy(weight.coefficients[...])
            let gains = unsafe weight.gains.isEmpty ? nil : copy(weight.gains[...])
            unsafe (self.weights + place).initialize(
                to: ck_weights(granularity: granularity, factors: coefficients, gains: gains))
        }
    }

    deinit {
        unsafe updates.deallocate()
        unsafe weights.deallocate()
        unsafe floats.forEach { unsafe $0.deallocate() }
    }

    private func copy(_ values: ArraySlice<Float>) -> UnsafePointer<Float> {
        let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, values.count))
        _ = unsafe buffer.initialize(from: values)
        unsafe floats.append(buffer)
        return unsafe UnsafePointer(buffer.baseAddress!)
    }
}
