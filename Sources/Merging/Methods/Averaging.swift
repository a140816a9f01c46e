internal import WorkerProtocol

/// Averaging (Wortsman et al., model soups, arXiv 2203.05482): c = 1/k, so θm = mean θf(i). It has no λ.
enum Averaging: MergeMethod {
    static let method = MergeSettings.Method.average
    static let scales: [Double] = []

    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        MergingWeights(taskCount: count, layers: layers, coefficient: 1 / Double(max(1, count)), squash: .identity)
    }
}
