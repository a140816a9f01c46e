internal import WorkerProtocol

/// Methods whose coefficients are known without data, as merging weights, so that they share the writer with SuperMerge.
extension MergingWeights {
    /// Coefficients before any training: SuperMerge's start, or the whole of a static method.
    ///
    /// - Averaging (Wortsman et al., model soups, arXiv 2203.05482): c = 1/k, so θm = mean θf(i).
    /// - Task arithmetic (Ilharco et al., arXiv 2212.04089): c = λ for every task and layer.
    init(method: MergeSettings.Method, taskCount: Int, layers: [Layer], scale: Double) {
        switch method {
        case .average:
            let share = 1 / Double(max(1, taskCount))
            self.init(taskCount: taskCount, layers: layers, coefficient: share, squash: .identity)
        case .taskArithmetic:
            self.init(taskCount: taskCount, layers: layers, coefficient: scale, squash: .identity)
        case .supermerge:
            self.init(taskCount: taskCount, layers: layers, coefficient: scale, squash: .tanh)
        }
    }
}
