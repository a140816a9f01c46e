internal import ExportedModel

/// A layer of the graph whose parameters calibration solves for: one operator that multiplies its input by a parameter.
struct CalibrationLayer: Hashable {
    enum Kind: Hashable {
        /// y = x Wᵀ + b; `isTransposed`: the parameter is stored as Wᵀ, [inputs, outputs].
        case linear(isTransposed: Bool)
        /// A convolution over one or two axes, ungrouped.
        case convolution(Convolution)
        /// y = w · x̂ + b with one w and b for each channel, the second axis: a batch or group norm.
        case channels
        /// y = w · x̂ + b with one w and b for each element of the last axes: a layer or RMS norm.
        case elements
    }

    struct Convolution: Hashable {
        var stride: [Int]
        var padding: [Int]
        var dilation: [Int]
    }

    /// A parameter and what the graph does to it (transposes, views, casts) before the layer reads it.
    struct Parameter: Hashable {
        /// The program's input slot.
        let slot: Int
        /// The graph's name.
        let name: String
        /// Instructions between the parameter and the layer, in the order in which they run.
        let chain: [Int]
        let isTransposed: Bool
    }

    let kind: Kind
    /// Its place among the model's instructions.
    let instruction: Int
    let input: Int
    let output: Int
    let weight: Parameter
    let bias: Parameter?
    /// The slot that the layer's output is added to, where that is computed before it: the residual stream.
    let stream: Int?

    var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }
}

extension ExportedModel {
    /// The layers that can be calibrated, in the order in which they run. They are found by their operators: linear,
    /// addmm, mm and matmul with a parameter, conv1d, conv2d and convolution without groups, group, batch, layer and
    /// RMS norms, and mul with a parameter, which is how graphs spell most RMS norms. A parameter that several
    /// instructions read stays as merged, and so does a layer inside a grad-mode or autocast region.
    func calibrationLayers() -> [CalibrationLayer] {
        let uses = LayerUses(self)
        return instructions.indices.compactMap { uses.layer(at: $0) }
    }
}
