/// How long the rest of a merge will take, from what the steps so far took.
struct ProgressEstimator {
    private let start: ContinuousClock.Instant
    private var lastStep: ContinuousClock.Instant
    private var average: Double?
    private(set) var secondsLeft: Double?

    init(start: ContinuousClock.Instant) {
        self.start = start
        lastStep = start
    }

    /// Notes a step of the fit; `left` more may follow. Steps before a fit (reading, scoring) are taken again after it.
    mutating func step(_ now: ContinuousClock.Instant, left: Int) {
        guard let average else {
            average = 0
            lastStep = now
            return
        }
        let seconds = (now - lastStep) / .seconds(1)
        lastStep = now
        let smoothed = average == 0 ? seconds : 0.9 * average + 0.1 * seconds
        self.average = smoothed
        secondsLeft = smoothed * Double(left)
    }
}
