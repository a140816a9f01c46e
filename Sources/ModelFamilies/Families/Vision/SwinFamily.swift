internal import ExportedGraph

/// Swin (Liu et al., arXiv 2103.14030) as a classifier: attention within windows, which every second layer shifts by
/// half; stages between which four neighbours become one token; the normed mean of all tokens, then `classifier`. And
/// Swin 2 (Liu et al., arXiv 2111.09883), whose windows shrink to the grids of later stages.
enum SwinFamily: ModelFamily {
    static let modelTypes = ["swin", "swinv2"]
    static let inert = VisionStack.inert.union(["hidden_size", "num_layers", "path_norm"])
    static let spare = [
        "embeddings.mask_token", "relative_position_index", "relative_coords_table", "decoder.0.weight",
        "decoder.0.bias",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isSecond = try configuration.text("model_type", default: "") == "swinv2"
        _ = try configuration.architecture(
            ["ForImageClassification", "ForMaskedImageModeling", "SwinModel", "Swinv2Model"])
        let width = try configuration.count("embed_dim", default: 96)
        let depths = try configuration.integers("depths") ?? [2, 2, 6, 2]
        let heads = try configuration.integers("num_heads") ?? [3, 6, 12, 24]
        let image = try configuration.sides("image_size", default: 224)
        let patch = try configuration.sides("patch_size", default: 4)
        let window = try configuration.count("window_size", default: 7)
        let ratio = configuration.has("mlp_ratio") ? try configuration.positive("mlp_ratio") : 4
        let channels = try configuration.count("num_channels", default: 3)
        guard depths.count == heads.count, (1...8).contains(depths.count),
            (depths + heads).allSatisfy({ (1...1 << 20).contains($0) }),
            heads.indices.allSatisfy({
                (width << $0).isMultiple(of: heads[$0])
            })
        else {
            throw configuration.unsupported(
                "num_heads", "has \(heads.count) numbers of heads; expected \(depths.count) that divide the widths")
        }
        guard image.height.isMultiple(of: patch.height), image.width.isMultiple(of: patch.width) else {
            throw configuration.unsupported("patch_size", "does not divide the image's sides")
        }
        let pretrained = isSecond ? try pretrainedWindows(configuration, stages: depths.count) : nil
        let norm = Norm.layer(try configuration.number("layer_norm_eps", default: 1e-5))
        var block = SwinBlock(
            window: window, ratio: ratio, activation: try configuration.activation("hidden_act", default: "gelu"),
            hasBias: try configuration.flag("qkv_bias", default: true), norm: norm)
        let prefix = draft.prefix(
            of: "embeddings.patch_embeddings.projection.weight", among: [isSecond ? "swinv2." : "swin.", ""])

        let pixels = draft.input("pixel_values", "float32", [nil, channels, image.height, image.width])
        let projection = "\(prefix)embeddings.patch_embeddings.projection"
        let weight = try draft.parameter("\(projection).weight", [width, channels, patch.height, patch.width])
        let grid = draft.convolution(pixels, weight, try draft.parameter("\(projection).bias", [width]), stride: patch)
        var (rows, columns) = (image.height / patch.height, image.width / patch.width)
        var hidden = try draft.norm(draft.places(grid), "\(prefix)embeddings.norm", .layer(1e-5))
        if try configuration.flag("use_absolute_embeddings", default: false) {
            guard !isSecond else { throw configuration.unsupported("use_absolute_embeddings", "is true") }
            let positions = try draft.parameter("\(prefix)embeddings.position_embeddings", [1, rows * columns, width])
            hidden = draft.add(hidden, positions)
        }
        for (stage, depth) in depths.enumerated() {
            if let pretrained {
                // By the height alone, and before odd sides are padded, as transformers has it.
                block.window = min(max((image.height / patch.height) >> stage, 1), window)
                block.second = SwinBlock.Second(pretrainedWindow: pretrained[stage])
            }
            guard min(rows, columns) >= block.window else {
                throw configuration.unsupported(
                    "window_size", "is \(window), more than the \(rows) × \(columns) places of stage \(stage)")
            }
            let name = "\(prefix)encoder.layers.\(stage)."
            let farthest = isSecond ? (image.height / patch.height) >> stage : min(rows, columns)
            for index in 0..<depth {
                let isShifted = !index.isMultiple(of: 2) && farthest > block.window
                hidden = try block.output(
                    hidden, "\(name)blocks.\(index).", heads: heads[stage], rows: rows, columns: columns,
                    shift: isShifted ? window / 2 : 0, draft)
            }
            guard stage + 1 < depths.count else { break }
            hidden = try merged(
                hidden, "\(name)downsample.", rows: rows, columns: columns, isNormedBehind: isSecond, draft)
            (rows, columns) = ((rows + 1) / 2, (columns + 1) / 2)
        }
        let pooled = draft.mean(try draft.norm(hidden, "\(prefix)layernorm", norm), axis: 1)
        return try draft.linear(pooled, "classifier", configuration.classes(), isHead: true)
    }

    /// The sides of the windows that each stage of Swin 2 was pretrained with; 0 where they are the model's.
    private static func pretrainedWindows(
        _ configuration: ModelConfiguration, stages: Int
    ) throws(ModelFamilyError) -> [Int] {
        let sides = try configuration.integers("pretrained_window_sizes") ?? Array(repeating: 0, count: max(stages, 4))
        guard sides.count >= stages, sides.allSatisfy({ $0 == 0 || (2...1 << 20).contains($0) }) else {
            throw configuration.unsupported(
                "pretrained_window_sizes", "has \(sides.count) sides; expected \(stages), each 0 or more than 1")
        }
        return sides
    }

    /// Squares of two by two tokens as one of twice the width.
    private static func merged(
        _ hidden: GraphValue, _ name: String, rows: Int, columns: Int, isNormedBehind: Bool, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = hidden.width ?? 0
        let (height, across) = ((rows + 1) / 2, (columns + 1) / 2)
        let grid = draft.padded(
            draft.reshape(hidden, [draft.length(hidden, 0), .known(rows), .known(columns), .known(width)]),
            rows: rows % 2, columns: columns % 2)
        func every(_ value: GraphValue, _ axis: Int, from start: Int, count: Int) -> GraphValue {
            var shape = value.shape
            shape[axis] = count
            return draft.call(
                "slice.Tensor",
                [
                    "self": value.argument, "dim": .int(axis), "start": .int(start), "end": .int(2 * count),
                    "step": .int(2),
                ], shape)
        }
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map { row, column in
            every(every(grid, 1, from: row, count: height), 2, from: column, count: across)
        }
        let joined = draft.reshape(
            draft.join(corners, axis: 3), [draft.length(hidden, 0), .known(height * across), .known(4 * width)])
        if isNormedBehind {
            let reduced = try draft.linear(joined, "\(name)reduction", 2 * width, hasBias: false)
            return try draft.norm(reduced, "\(name)norm", .layer(1e-5))
        }
        let normed = try draft.norm(joined, "\(name)norm", .layer(1e-5))
        return try draft.linear(normed, "\(name)reduction", 2 * width, hasBias: false)
    }
}
