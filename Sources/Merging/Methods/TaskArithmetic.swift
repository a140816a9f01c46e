internal import WorkerProtocol

/// Task arithmetic (Ilharco et al., arXiv 2212.04089): c = λ for every task and layer.
enum TaskArithmetic: MergeMethod {
    static let method = MergeSettings.Method.taskArithmetic
}
