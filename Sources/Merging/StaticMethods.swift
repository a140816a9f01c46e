internal import WorkerProtocol

/// Methods whose coefficients are known without data, as merging weights, so that they share the writer with SuperMerge.
extension MergingWeights {
    /// Coefficients before any training: SuperMerge's start, or the whole of a static method.
    ///
    /// - Averaging (Wortsman et al., model soups, arXiv 2203.05482): c = 1/k, so θm = mean θf(i).
    /// - Task arithmetic (Ilharco et al., arXiv 2212.04089): c = λ for every task and layer.
    init(method: MergeSettings.Method, taskCount: Int, layers: [Layer], scale: Double) {
        let coefficient =
            switch method {
            case .average: 1 / Double(max(1, taskCount))
            case .taskArithmetic, .supermerge: scale
            }
        self.init(taskCount: taskCount, layers: layers, scale: coefficient)
    }
}
