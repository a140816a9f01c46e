internal import ExportedGraph

/// ResNet (He et al., arXiv 1512.03385) as a classifier: stages of convolutions with batch norms around which the input
/// is added, the mean over all places, `classifier.1`.
enum ResNetFamily: ModelFamily {
    static let modelTypes = ["resnet"]
    static let inert = VisionStack.inert.union(["num_stages"])
    static let spare = ["num_batches_tracked"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        _ = try configuration.architecture(["ForImageClassification", "ResNetModel"])
        let widths = try configuration.integers("hidden_sizes") ?? [256, 512, 1024, 2048]
        let depths = try configuration.integers("depths") ?? [3, 4, 6, 3]
        let first = try configuration.count("embedding_size", default: 64)
        let kind = try configuration.text("layer_type", default: "bottleneck")
        guard widths.count == depths.count, !widths.isEmpty,
            (widths + depths).allSatisfy({ (1...1 << 20).contains($0) })
        else {
            throw configuration.unsupported(
                "depths", "has \(depths.count) stages; expected \(widths.count), all positive")
        }
        guard kind == "bottleneck" || kind == "basic" else {
            throw configuration.unsupported("layer_type", "is \"\(kind)\"; expected \"basic\" or \"bottleneck\"")
        }
        let channels = try configuration.count("num_channels", default: 3)
        var layer = Layer(
            isNarrowed: kind == "bottleneck",
            narrowsFirst: try configuration.flag("downsample_in_bottleneck", default: false),
            activation: try configuration.activation("hidden_act", default: "relu"))
        let halvesFirst = try configuration.flag("downsample_in_first_stage", default: false)
        let prefix = draft.prefix(of: "embedder.embedder.convolution.weight", among: ["resnet.", ""])

        let pixels = draft.input("pixel_values", "float32", [nil, channels, nil, nil])
        var hidden = try layer.unit(
            pixels, "\(prefix)embedder.embedder", first, kernel: 7, stride: 2, layer.activation, draft)
        hidden = draft.maximum(hidden, kernel: 3, stride: 2, padding: 1)
        for (stage, width) in widths.enumerated() {
            for index in 0..<depths[stage] {
                layer.stride = index == 0 && (stage > 0 || halvesFirst) ? 2 : 1
                let name = "\(prefix)encoder.stages.\(stage).layers.\(index)."
                hidden = try layer.output(hidden, name, width, draft)
            }
        }
        return try draft.linear(draft.placeMean(hidden), "classifier.1", configuration.classes(), isHead: true)
    }

    private struct Layer {
        /// Three convolutions, the middle one at a quarter of the width; else two.
        var isNarrowed: Bool
        /// Whether the first of three takes the steps of two, else the second.
        var narrowsFirst: Bool
        var activation: Activation
        var stride = 1

        func output(
            _ hidden: GraphValue, _ name: String, _ width: Int, _ draft: GraphBuilder
        ) throws(ModelFamilyError) -> GraphValue {
            func part(
                _ value: GraphValue, _ index: Int, _ width: Int, kernel: Int, stride: Int = 1, _ after: Activation?
            ) throws(ModelFamilyError) -> GraphValue {
                try unit(value, "\(name)layer.\(index)", width, kernel: kernel, stride: stride, after, draft)
            }
            var changed: GraphValue
            if isNarrowed {
                // Within a layer the activation is always ReLU.
                changed = try part(hidden, 0, width / 4, kernel: 1, stride: narrowsFirst ? stride : 1, .relu)
                changed = try part(changed, 1, width / 4, kernel: 3, stride: narrowsFirst ? 1 : stride, .relu)
                changed = try part(changed, 2, width, kernel: 1, nil)
            } else {
                changed = try part(hidden, 0, width, kernel: 3, stride: stride, .relu)
                changed = try part(changed, 1, width, kernel: 3, nil)
            }
            let isSame = hidden.shape[1] == width && stride == 1
            let carried =
                isSame
                ? hidden : try unit(hidden, "\(name)shortcut", width, kernel: 1, stride: stride, nil, draft)
            return draft.apply(activation, draft.add(changed, carried))
        }

        /// A convolution without bias, its batch norm, and an activation.
        func unit(
            _ value: GraphValue, _ name: String, _ width: Int, kernel: Int, stride: Int, _ after: Activation?,
            _ draft: GraphBuilder
        ) throws(ModelFamilyError) -> GraphValue {
            let convolved = try draft.convolution(
                value, "\(name).convolution", width, kernel: kernel, stride: stride, padding: kernel / 2,
                hasBias: false)
            let normed = try draft.batchNorm(convolved, "\(name).normalization")
            return after.map { draft.apply($0, normed) } ?? normed
        }
    }
}
