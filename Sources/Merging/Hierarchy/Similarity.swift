internal import WorkerProtocol

/// Cosines of task vectors, cos(τa, τb), by the names of the tasks.
struct Similarity: Hashable, Sendable {
    private var cosines: [[String]: Double] = [:]

    /// Symmetric; 0 where it was not measured.
    subscript(first: String, second: String) -> Double {
        get { cosines[[min(first, second), max(first, second)]] ?? 0 }
        set { cosines[[min(first, second), max(first, second)]] = newValue }
    }

    func isMeasured(_ first: String, _ second: String) -> Bool {
        cosines[[min(first, second), max(first, second)]] != nil
    }

    /// Mean over all pairs of one of `first` and one of `second`.
    func mean(_ first: [String], _ second: [String]) -> Double {
        let sum = first.reduce(0) { sum, one in second.reduce(sum) { $0 + self[one, $1] } }
        return sum / Double(max(1, first.count * second.count))
    }

    /// Every pair that was measured, in order of the names.
    var pairs: [TaskSimilarity] {
        cosines.map { TaskSimilarity(first: $0.key[0], second: $0.key[1], cosine: $0.value) }
            .sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }
}
