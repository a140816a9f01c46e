internal import WorkerProtocol

/// Where a fit stands: a few kilobytes that let an interrupted one go on to the same bytes.
struct FitState: Hashable, Sendable {
    var weights: MergingWeights
    var optimizer: Adam
    /// Weights of the best evaluation, and its step and held-out loss.
    var best: [Double]
    var bestStep = 0
    var bestLoss = Double.infinity
    /// What the schedule's step sizes are multiplied with.
    var rate = 1.0
    /// Of a fit that starts at the calibrated merge: larger steps throw away what it starts with.
    static let calibratedRate = 1.0 / 3
    /// Looks since the best.
    var looksWithoutBetter = 0
    var curve: [FitPoint] = []

    /// Updates made.
    var step: Int { optimizer.step }

    init(_ weights: MergingWeights) {
        self.weights = weights
        optimizer = Adam(count: weights.values.count)
        best = weights.values
    }

    /// The update of the next step, as `schedule` says.
    mutating func update(gradient: [Double], _ schedule: FitSchedule) {
        optimizer.update(
            &weights.values, gradient: gradient, learningRate: rate * schedule.rate(at: step),
            momentum: schedule.momentum)
    }

    /// Records an evaluation. Without held-out examples (nil) the latest weights count as the best; a loss that is not
    /// finite is never better than any other.
    mutating func record(heldOut: Double?, lastLoss: Double?) {
        let finite = heldOut.flatMap { $0.isFinite ? $0 : nil }
        if let loss = lastLoss ?? finite { curve.append(FitPoint(step: step, loss: loss, heldOut: finite)) }
        if heldOut == nil || finite.map({ $0 < bestLoss }) == true {
            best = weights.values
            bestStep = step
            bestLoss = finite ?? bestLoss
            looksWithoutBetter = 0
        } else {
            looksWithoutBetter += 1
        }
    }
}
