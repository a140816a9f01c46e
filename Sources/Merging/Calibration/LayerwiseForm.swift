internal import Torch
internal import WorkerProtocol

/// How a method that goes layer by layer, by forward passes, solves for each layer's weights.
enum LayerwiseForm {
    /// The model whose values a layer's inputs are.
    enum Inputs { case checkpoint, merged }

    /// Ridge regression towards the checkpoints' outputs, with inputs of the merged model. `ridge`: λ.
    case regression(ridge: Double)
    /// `GramAverage` with its a.
    case gramAverage(share: Double, inputs: Inputs)
    /// `GramAverage` and `ScaleAverage` of the task vectors, with inputs of the checkpoints.
    case vectorAverage

    /// Whether the checkpoints' outputs are what is aimed at.
    var readsTargets: Bool { if case .regression = self { true } else { false } }

    /// Whether the merged model runs, too.
    var readsMerged: Bool {
        switch self {
        case .regression, .gramAverage(_, .merged): true
        case .gramAverage(_, .checkpoint), .vectorAverage: false
        }
    }

    /// Whether a layer is held to the base, where its inputs say nothing, instead of to the merge.
    var startsAtBase: Bool { if case .vectorAverage = self { true } else { false } }

    func solves(_ kind: CalibrationLayer.Kind) -> Bool {
        switch (self, kind) {
        case (.regression, .elements), (.vectorAverage, .convolution): false
        case (.regression, _), (.vectorAverage, _), (.gramAverage, .linear): true
        case (.gramAverage, _): false
        }
    }

    /// The problem of a layer whose weight has this shape.
    func problem(of kind: CalibrationLayer.Kind, shape: [Int], hasBias: Bool) throws -> any LayerProblem {
        switch (self, kind) {
        case (.gramAverage(let share, _), .linear(let isTransposed)):
            return try GramAverage(shape: shape, isTransposed: isTransposed, share: share)
        case (.vectorAverage, .linear(let isTransposed)):
            return try GramAverage(shape: shape, isTransposed: isTransposed)
        case (.vectorAverage, .channels), (.vectorAverage, .elements):
            return try ScaleAverage(shape: shape, isByChannel: kind == .channels)
        case (.regression(let ridge), .channels):
            return ChannelProblem(channels: shape.reduce(1, *), ridge: ridge)
        case (.regression(let ridge), _):
            return try LinearProblem(kind, shape: shape, hasBias: hasBias, ridge: ridge)
        default: throw TorchError("a layer of kind \(kind) is not solved for")
        }
    }
}

/// A method of which the whole is a closed form for each layer.
protocol LayerwiseMethod: MergeMethod {
    /// The λ to try: the first, and more where it has a held-out loss.
    static func ridges(_ settings: ResolvedSettings) -> RidgeSearch
    static func form(ridge: Double) -> LayerwiseForm
}
