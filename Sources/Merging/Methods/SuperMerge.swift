internal import WorkerProtocol

/// SuperMerge (arXiv 2412.10416): c = tanh w, one trained weight w for each task and tensor, row or column. The
/// training is `CoefficientFit`.
enum SuperMerge: MergeMethod {
    static let method = MergeSettings.Method.supermerge
    static let scales: [Double] = []

    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        MergingWeights(taskCount: count, layers: layers, coefficient: scale, squash: squash)
    }
}
