internal import Torch
internal import WorkerProtocol

extension ModelEvaluator {
    /// The λ of a static method that scores best on the examples that are not held out, by the mean of the tasks' metrics (perplexities negative); of
    /// equals the smallest. Grid: 0 to 1 by 0.05 for sums of task vectors, 0.1 to 2.5 by 0.1 for TIES, which takes their mean.
    func searchedScale(progress: (_ done: Int, _ total: Int) throws -> Void) throws -> Double {
        let method = context.plan.settings.method
        let grid = method == .ties ? (1...25).map { Double($0) / 10 } : (0...20).map { Double($0) / 20 }
        var best = (scale: context.plan.settings.scale, value: -Double.infinity)
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
                let score = try outcome(task, model, set, set.fitted).score
                values.append(score.isLowerBetter ? -score.value : score.value)
            }
        }
        return values.reduce(0, +) / Double(max(1, values.count))
    }
}
