internal import WorkerProtocol

extension MergingWeights {
    /// Coefficients before any training, as weights, so that every method shares the writer with SuperMerge: the whole of a method
    /// that learns nothing, and where the others start; SuperMerge's are `squash` of a weight. Whatever the method, running
    /// statistics of batch norms are averaged.
    init(
        method: MergeSettings.Method, taskCount: Int, layers: [Layer], scale: Double,
        squash: MergeSettings.Activation = .tanh
    ) {
        self =
            switch method {
            case .average: .average(taskCount: taskCount, layers: layers)
            case .taskArithmetic, .ties, .dare: .taskArithmetic(taskCount: taskCount, layers: layers, scale: scale)
            case .adamerging: .adaMerging(taskCount: taskCount, layers: layers, scale: scale)
            case .supermerge: .init(taskCount: taskCount, layers: layers, coefficient: scale, squash: squash)
            }
        averageStatistics(layers)
    }
}
