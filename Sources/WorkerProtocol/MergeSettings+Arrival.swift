extension MergeSettings {
    /// Fewer steps than these can't both find a newcomer's place and settle.
    package static let fewestStepsOfArrival = 24

    /// Most gradient steps of a fit that starts at a deployed release which has most of the tasks; at most `steps`.
    package var arrivalSteps: Int {
        min(steps, max(Int((Double(steps) * arrivalShare).rounded(.up)), Self.fewestStepsOfArrival))
    }
}
