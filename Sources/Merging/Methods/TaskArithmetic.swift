internal import WorkerProtocol

/// Task arithmetic (Ilharco et al., arXiv 2212.04089): c = λ for every task and layer. TIES and DARE scale with it what they make of
/// the task vectors (`MergeRule`).
extension MergingWeights {
    static func taskArithmetic(taskCount: Int, layers: [Layer], scale: Double) -> MergingWeights {
        MergingWeights(taskCount: taskCount, layers: layers, coefficient: scale, squash: .identity)
    }
}
