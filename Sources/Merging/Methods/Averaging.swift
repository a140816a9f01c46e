internal import WorkerProtocol

/// Averaging (Wortsman et al., model soups, arXiv 2203.05482): c = 1/k, so θm = mean θf(i).
extension MergingWeights {
    static func average(taskCount: Int, layers: [Layer]) -> MergingWeights {
        MergingWeights(
            taskCount: taskCount, layers: layers, coefficient: 1 / Double(max(1, taskCount)), squash: .identity)
    }
}
