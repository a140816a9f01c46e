internal import WorkerProtocol

/// Methods whose coefficients are known without data, as merging weights, so that they share the writer with SuperMerge.
extension MergingWeights {
    /// Coefficients before any training: SuperMerge's start, or the whole of a static method.
    ///
    /// - Averaging (Wortsman et al., model soups, arXiv 2203.05482): c = 1/k, so θm = mean θf(i).
    /// - Task arithmetic (Ilharco et al., arXiv 2212.04089), TIES and DARE: c = λ for every task and layer.
    /// - AdaMerging, layer-wise (Yang et al., arXiv 2310.02575): c starts from λ and stays between 0 and 1.
    /// - SuperMerge: c starts from `scale`, `squash` of a weight.
    /// - Whatever the method, running statistics of batch norms are averaged.
    init(
        method: MergeSettings.Method, taskCount: Int, layers: [Layer], scale: Double,
        squash: MergeSettings.Squash = .tanh
    ) {
        switch method {
        case .average:
            let share = 1 / Double(max(1, taskCount))
            self.init(taskCount: taskCount, layers: layers, coefficient: share, squash: .identity)
        case .taskArithmetic, .ties, .dare:
            self.init(taskCount: taskCount, layers: layers, coefficient: scale, squash: .identity)
        case .adamerging:
            self.init(taskCount: taskCount, layers: layers, coefficient: scale, squash: .clamp)
        case .supermerge:
            self.init(taskCount: taskCount, layers: layers, coefficient: scale, squash: squash)
        }
        averageStatistics(layers)
    }
}
