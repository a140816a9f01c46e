internal import ExportedGraph

/// ConvNeXt (Liu et al., arXiv 2201.03545) and its second version (Woo et al., arXiv 2301.00808) as classifiers: stages
/// of depthwise convolutions with a feed-forward part at each place, the mean over all places, a norm, `classifier`.
enum ConvNextFamily: ModelFamily {
    static let modelTypes = ["convnext", "convnextv2"]
    static let inert = VisionStack.inert.union(["num_stages"])
    static let spare: [String] = []

    private static let epsilon = 1e-6

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let type = try configuration.text("model_type", default: "convnext")
        _ = try configuration.architecture(["ForImageClassification", "ConvNextModel", "ConvNextV2Model"])
        let widths = try configuration.integers("hidden_sizes") ?? [96, 192, 384, 768]
        let depths = try configuration.integers("depths") ?? [3, 3, 9, 3]
        guard widths.count == depths.count, !widths.isEmpty,
            (widths + depths).allSatisfy({ (1...1 << 20).contains($0) })
        else {
            throw configuration.unsupported(
                "depths", "has \(depths.count) stages; expected \(widths.count), all positive")
        }
        let image = try configuration.sides("image_size", default: 224)
        let patch = try configuration.sides("patch_size", default: 4)
        let channels = try configuration.count("num_channels", default: 3)
        let activation = try configuration.activation("hidden_act", default: "gelu")
        let scale = try configuration.number("layer_scale_init_value", default: 1e-6)
        let isScaled = type == "convnext" && scale > 0
        let prefix = draft.prefix(of: "embeddings.patch_embeddings.weight", among: ["\(type).", ""])

        let pixels = draft.input("pixel_values", "float32", [nil, channels, image.height, image.width])
        var hidden = try convolved(
            pixels, "\(prefix)embeddings.patch_embeddings", widths[0], kernel: patch, stride: patch, draft)
        hidden = try normed(hidden, "\(prefix)embeddings.layernorm", draft)
        for (stage, width) in widths.enumerated() {
            let name = "\(prefix)encoder.stages.\(stage)."
            if stage > 0 {
                hidden = try normed(hidden, "\(name)downsampling_layer.0", draft)
                hidden = try convolved(
                    hidden, "\(name)downsampling_layer.1", width, kernel: (2, 2), stride: (2, 2), draft)
            }
            for index in 0..<depths[stage] {
                let layer = Layer(
                    name: "\(name)layers.\(index).", activation: activation, isScaled: isScaled,
                    isSecond: type == "convnextv2")
                hidden = try layer.output(hidden, draft)
            }
        }
        let epsilon = try configuration.number("layer_norm_eps", default: 1e-12)
        let pooled = try draft.norm(draft.placeMean(hidden), "\(prefix)layernorm", .layer(epsilon))
        return try draft.linear(pooled, "classifier", configuration.classes(), isHead: true)
    }

    private static func convolved(
        _ value: GraphValue, _ name: String, _ width: Int, kernel: (height: Int, width: Int),
        stride: (height: Int, width: Int), _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let weight = try draft.parameter("\(name).weight", [width, value.shape[1] ?? 0, kernel.height, kernel.width])
        return draft.convolution(value, weight, try draft.parameter("\(name).bias", [width]), stride: stride)
    }

    /// The norm over the channels of [batch, channels, height, width].
    private static func normed(
        _ value: GraphValue, _ name: String, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        draft.channelsFirst(try draft.norm(draft.channelsLast(value), name, .layer(epsilon)))
    }

    private struct Layer {
        var name: String
        var activation: Activation
        var isScaled: Bool
        var isSecond: Bool

        func output(_ hidden: GraphValue, _ draft: GraphBuilder) throws(ModelFamilyError) -> GraphValue {
            let width = hidden.shape[1] ?? 0
            let kernel = try draft.parameter("\(name)dwconv.weight", [width, 1, 7, 7])
            let bias = try draft.parameter("\(name)dwconv.bias", [width])
            let local = draft.convolution(hidden, kernel, bias, stride: (1, 1), padding: 3, groups: width)
            let normed = try draft.norm(draft.channelsLast(local), "\(name)layernorm", .layer(ConvNextFamily.epsilon))
            var wide = draft.apply(activation, try draft.linear(normed, "\(name)pwconv1", 4 * width))
            if isSecond { wide = try responded(wide, draft) }
            var narrow = try draft.linear(wide, "\(name)pwconv2", width)
            if isScaled {
                narrow = draft.multiply(narrow, try draft.parameter("\(name)layer_scale_parameter", [width]))
            }
            return draft.add(hidden, draft.channelsFirst(narrow))
        }

        /// Global response normalisation: each channel by its norm over all places, relative to the other channels'.
        private func responded(_ value: GraphValue, _ draft: GraphBuilder) throws(ModelFamilyError) -> GraphValue {
            let width = value.width ?? 0
            let norm = draft.call(
                "linalg_vector_norm",
                ["self": value.argument, "ord": .double(2), "dim": .list([.int(1), .int(2)]), "keepdim": .bool(true)],
                [nil, 1, 1, width])
            let mean = draft.call(
                "mean.dim", ["self": norm.argument, "dim": .list([.int(-1)]), "keepdim": .bool(true)], [nil, 1, 1, 1])
            let share = draft.call(
                "div.Tensor", ["self": norm.argument, "other": draft.add(mean, .double(1e-6)).argument], norm.shape)
            let weight = try draft.parameter("\(name)grn.weight", [1, 1, 1, width])
            let bias = try draft.parameter("\(name)grn.bias", [1, 1, 1, width])
            let scaled = draft.multiply(draft.multiply(value, share), weight)
            return draft.add(draft.add(scaled, bias), value)
        }
    }
}
