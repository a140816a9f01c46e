internal import Torch
internal import WorkerProtocol

extension ModelEvaluator {
    /// The λ of a static method that scores best on the examples that are not held out, by the mean of the tasks'
    /// metrics (perplexities negative, and of texts the share of right tokens); of equals the smallest. Grid: the
    /// method's `scales`.
    func searchedScale(progress: (_ done: Int, _ total: Int) throws -> Void) throws -> Double {
        let method = context.settings.method
        let grid = MergeMethods.implementation(of: method).scales
        var best = (scale: context.settings.scale, value: -Double.infinity)
        for (done, scale) in grid.enumerated() {
            let weights = MergingWeights(
                method: method, taskCount: context.tasks.count, layers: context.layers, scale: scale)
            try parameters.merge(context.vectors, weights)
            let value = try meanOfFitted()
            if value > best.value { best = (scale, value) }
            try progress(done + 1, grid.count)
        }
        return best.scale
    }

    private func meanOfFitted() throws -> Double {
        var values: [Double] = []
        for (task, set) in evaluation.sets.enumerated() {
            guard let set else { continue }
            try MergeError.blaming(context.tasks[task].name) {
                let model = try named(evaluation.heads[task].tensors())
                let score = try outcome(task, model, set, set.fitted, byTokens: true).score
                values.append(score.isLowerBetter ? -score.value : score.value)
            }
        }
        return values.reduce(0, +) / Double(max(1, values.count))
    }
}
