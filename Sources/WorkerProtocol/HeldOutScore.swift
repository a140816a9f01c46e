/// How the weights of one look do on a task's held-out examples while the fit goes on.
package struct HeldOutScore: Codable, Hashable, Sendable {
    package var task: String
    /// Mean loss per prediction, in the loss that is fitted.
    package var loss: Double
    /// Name of the metric; higher is better, but for `perplexity`.
    package var metric: String
    package var value: Double

    package init(task: String, loss: Double, metric: String, value: Double) {
        self.task = task
        self.loss = loss
        self.metric = metric
        self.value = value
    }
}
