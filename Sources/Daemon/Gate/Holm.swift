/// Holm's correction (Scandinavian Journal of Statistics 6, 1979): of m hypotheses that all hold, the chance that any
/// adjusted p lies below a level is at most that level, whatever the tests depend on.
package enum Holm {
    /// Adjusted p-values in the order given: of the sorted p₁ ≤ … ≤ pₘ the i-th is maxⱼ≤ᵢ min(1, (m − j + 1) · pⱼ).
    ///
    /// O(m log m).
    package static func adjusted(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var greatest = 0.0
        for (rank, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
            greatest = max(greatest, min(1, Double(pValues.count - rank) * pValues[index]))
            adjusted[index] = greatest
        }
        return adjusted
    }
}
