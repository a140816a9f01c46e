internal import WorkerProtocol

/// What a node's fit came to.
struct NodeRecord: Hashable, Sendable {
    struct Summary: Hashable, Sendable, Codable {
        var steps: Int
        var bestStep: Int
        /// Nil where nothing is held out.
        var heldOut: Double?
        var curve: [FitPoint]
    }

    /// Of the best evaluation, before the activation, in the order of `MergingWeights`: a weight for each source, layer
    /// and row.
    var weights: [Double]
    var summary: Summary

    init(weights: [Double], summary: Summary) {
        self.weights = weights
        self.summary = summary
    }

    /// Where a fit ended.
    init(_ state: FitState) {
        weights = state.best
        summary = Summary(
            steps: state.step, bestStep: state.bestStep, heldOut: state.bestLoss.isFinite ? state.bestLoss : nil,
            curve: state.curve)
    }
}
