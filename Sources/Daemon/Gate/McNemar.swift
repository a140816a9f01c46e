import Foundation

/// McNemar's test in its exact form (Psychometrika 12, 1947): of the examples on which two models disagree, each is
/// right as often as the other by chance.
package enum McNemar {
    /// Two-sided p = min(1, 2 · Σₖ₌₀..min(gained, lost) C(n, k) / 2ⁿ) with n = gained + lost; 1 without disagreement.
    ///
    /// O(min(gained, lost)); computed in logarithms, so that thousands of examples don't overflow.
    package static func pValue(gained: Int, lost: Int) -> Double {
        let total = gained + lost
        guard total > 0 else { return 1 }
        var logChoose = 0.0
        var sum = exp(-Double(total) * log(2))
        for k in stride(from: 1, through: min(gained, lost), by: 1) {
            logChoose += log(Double(total - k + 1)) - log(Double(k))
            sum += exp(logChoose - Double(total) * log(2))
        }
        return min(1, 2 * sum)
    }
}
