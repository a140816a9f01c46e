internal import WorkerProtocol

/// The closed form alone, by forward passes and without labels: task arithmetic at `scale`, and the whole of the
/// correction that `Calibration` finds for it.
enum Calibrate: LayerwiseMethod {
    static let method = MergeSettings.Method.calibrate
    static let scales: [Double] = []

    static func ridges(_ settings: ResolvedSettings) -> RidgeSearch { RidgeSearch(settings.ridge) }
    static func form(ridge: Double) -> LayerwiseForm { .regression(ridge: ridge) }
}
