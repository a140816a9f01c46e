internal import Tasks
internal import Torch
internal import WorkerProtocol

/// AdaMerging, layer-wise (Yang et al., arXiv 2310.02575): a coefficient for each tensor and task, from λ on and
/// between 0 and 1, learned by lowering the entropy of the predictions on the validation inputs.
enum AdaMerging: MergeMethod {
    static let method = MergeSettings.Method.adamerging
    static let scales: [Double] = []

    static func weights(
        tasks count: Int, layers: [Layer], scale: Double, squash: MergeSettings.Activation
    ) -> MergingWeights {
        MergingWeights(taskCount: count, layers: layers, coefficient: scale, squash: .clamp)
    }
}

extension Objective {
    /// Mean entropy of the predictions in nats, which AdaMerging lowers (equation 4). The labels
    /// only say which predictions are scored.
    func entropy(_ logits: Tensor, _ labels: Tensor) throws -> Tensor {
        let (outputs, targets) = try aligned(logits.to(.float32), labels)
        guard !kind.fitsNumbers else { throw LabelFault.noEntropy }
        let isScored = try Self.isScored(targets, kind)
        let logarithms = try outputs.logSoftmax()
        var surprise = try Self.finite(logarithms, where: logarithms).multiplied(by: outputs.softmax())
        if isScored.contains(false) {
            let mask = try Tensor(isScored.map { $0 ? 1 : 0 as Float }, shape: [isScored.count, 1])
            surprise = try surprise.multiplied(by: mask)
        }
        return try surprise.sum().multiplied(by: -1 / Double(max(1, isScored.count { $0 })))
    }
}
