internal import ExportedGraph

/// SegFormer (Xie et al., arXiv 2105.15203): stages of overlapping patches whose keys and values are read at fewer
/// places. As a classifier of images, [batch, classes]; or of each pixel, [batch, height, width, classes], at the
/// image's size, as its loss is computed.
enum SegformerFamily: ModelFamily {
    static let modelTypes = ["segformer"]
    static let inert = VisionStack.inert.union([
        "classifier_dropout_prob", "downsampling_rates", "image_size", "layer_norm_eps", "reshape_last_stage",
        "semantic_loss_ignore_index",
    ])
    static let spare = ["num_batches_tracked", "decode_head."]

    private struct Stage {
        var width: Int
        var depth: Int
        var heads: Int
        var patch: Int
        var stride: Int
        /// Places on a side of which keys and values read one.
        var reduction: Int
        var ratio: Int
    }

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isDense =
            try configuration.architecture([
                "ForImageClassification", "ForSemanticSegmentation", "SegformerModel",
            ]) == "ForSemanticSegmentation"
        let stages = try stages(configuration)
        let channels = try configuration.count("num_channels", default: 3)
        let activation = try configuration.activation("hidden_act", default: "gelu")
        let head = try configuration.count("decoder_hidden_size", default: 256)
        let prefix = draft.prefix(of: "encoder.patch_embeddings.0.proj.weight", among: ["segformer.", ""])
        let pixels = draft.input("pixel_values", "float32", [nil, channels, nil, nil])
        var hidden = pixels
        var outputs: [GraphValue] = []
        for (index, stage) in stages.enumerated() {
            hidden = try output(of: stage, hidden, prefix + "encoder.", index, activation, draft)
            outputs.append(hidden)
        }
        guard isDense else {
            return try draft.linear(draft.placeMean(hidden), "classifier", configuration.classes(), isHead: true)
        }
        var joined: [GraphValue] = []
        for (index, output) in outputs.enumerated() {
            let same = try draft.linear(draft.places(output), "decode_head.linear_c.\(index).proj", head)
            joined.insert(draft.resized(draft.image(same, like: output), like: outputs[0]), at: 0)
        }
        let fused = try draft.convolution(
            draft.join(joined, axis: 1), "decode_head.linear_fuse", head, kernel: 1, hasBias: false)
        let active = draft.apply(.relu, try draft.batchNorm(fused, "decode_head.batch_norm"))
        let classes = try configuration.classes()
        let weight = try draft.parameter("decode_head.classifier.weight", [classes, head, 1, 1], isHead: true)
        let bias = try draft.parameter("decode_head.classifier.bias", [classes], isHead: true)
        let logits = draft.convolution(active, weight, bias, stride: (1, 1))
        return draft.channelsLast(draft.resized(logits, like: pixels))
    }

    private static func stages(_ configuration: ModelConfiguration) throws(ModelFamilyError) -> [Stage] {
        let count = try configuration.count("num_encoder_blocks", default: 4)
        func list(_ key: String, _ standard: [Int]) throws(ModelFamilyError) -> [Int] {
            let numbers = try configuration.integers(key) ?? standard
            guard numbers.count == count, numbers.allSatisfy({ (1...1 << 20).contains($0) }) else {
                throw configuration.unsupported(key, "has \(numbers.count) numbers; expected \(count), all positive")
            }
            return numbers
        }
        let (depths, reductions) = (try list("depths", [2, 2, 2, 2]), try list("sr_ratios", [8, 4, 2, 1]))
        let (widths, patches) = (
            try list("hidden_sizes", [32, 64, 160, 256]), try list("patch_sizes", [7, 3, 3, 3])
        )
        let (strides, heads) = (try list("strides", [4, 2, 2, 2]), try list("num_attention_heads", [1, 2, 5, 8]))
        let ratios = try list("mlp_ratios", [4, 4, 4, 4])
        var stages: [Stage] = []
        for index in 0..<count {
            _ = try configuration.headWidth(widths[index], heads: heads[index], key: "num_attention_heads")
            stages.append(
                Stage(
                    width: widths[index], depth: depths[index], heads: heads[index], patch: patches[index],
                    stride: strides[index], reduction: reductions[index], ratio: ratios[index]))
        }
        return stages
    }

    /// [batch, channels, height, width] of a stage from those of the one before.
    private static func output(
        of stage: Stage, _ value: GraphValue, _ prefix: String, _ index: Int, _ activation: Activation,
        _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let norm = Norm.layer(1e-5)
        let embedding = "\(prefix)patch_embeddings.\(index)."
        let grid = try draft.convolution(
            value, "\(embedding)proj", stage.width, kernel: stage.patch, stride: stage.stride, padding: stage.patch / 2)
        var hidden = try draft.norm(draft.places(grid), "\(embedding)layer_norm", norm)
        var attention = SelfAttention(heads: stage.heads, width: stage.width / stage.heads)
        attention.names = AttentionNames("attention.", "self.query", "self.key", "self.value", "output.dense")
        (attention.hasBias, attention.hasOutputBias) = (true, true)
        for layer in 0..<stage.depth {
            let name = "\(prefix)block.\(index).\(layer)."
            let normed = try draft.norm(hidden, "\(name)layer_norm_1", norm)
            var source: GraphValue?
            if stage.reduction > 1 {
                let fewer = try draft.convolution(
                    draft.image(normed, like: grid), "\(name)attention.self.sr", stage.width,
                    kernel: stage.reduction, stride: stage.reduction)
                source = try draft.norm(draft.places(fewer), "\(name)attention.self.layer_norm", norm)
            }
            hidden = draft.add(hidden, try attention.output(normed, to: source, name, mask: nil, draft))
            let wide = try draft.linear(
                draft.norm(hidden, "\(name)layer_norm_2", norm), "\(name)mlp.dense1", stage.ratio * stage.width)
            let mixed = try draft.convolution(
                draft.image(wide, like: grid), "\(name)mlp.dwconv.dwconv", stage.ratio * stage.width,
                kernel: 3, padding: 1, isDepthwise: true)
            let active = draft.apply(activation, draft.places(mixed))
            hidden = draft.add(hidden, try draft.linear(active, "\(name)mlp.dense2", stage.width))
        }
        return draft.image(try draft.norm(hidden, "\(prefix)layer_norm.\(index)", norm), like: grid)
    }
}
