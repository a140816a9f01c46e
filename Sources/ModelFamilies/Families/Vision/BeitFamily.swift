internal import ExportedGraph

/// BEiT (Bao et al., arXiv 2106.08254) and data2vec for images (Baevski et al., arXiv 2202.03555) as classifiers: a
/// trained bias of the scores for each offset of two patches; the mean of the patches, or the first token, then
/// `classifier`.
enum BeitFamily: ModelFamily {
    static let modelTypes = ["beit", "data2vec-vision"]
    static let inert = VisionStack.inert.union([
        "add_fpn", "auxiliary_channels", "auxiliary_concat_input", "auxiliary_loss_weight", "auxiliary_num_convs",
        "pool_scales", "segmentation_indices", "semantic_loss_ignore_index", "use_auxiliary_head", "use_mask_token",
        "vocab_size",
    ])
    static let spare = [
        "embeddings.mask_token", "layernorm.weight", "layernorm.bias", "lm_head.", "pooler.layernorm.weight",
        "pooler.layernorm.bias", "relative_position_index",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isBeit = try configuration.text("model_type", default: "") == "beit"
        _ = try configuration.architecture([
            "ForImageClassification", "ForMaskedImageModeling", "BeitModel", "Data2VecVisionModel",
        ])
        var options = try VisionOptions(
            configuration, activation: "gelu", epsilon: 1e-12, patch: 16,
            prefix: isBeit ? "beit." : "data2vec_vision.")
        (options.layer.attention.hasBias, options.layer.attention.hasKeyBias) = (true, false)
        options.classTokens = [("embeddings.cls_token", [1, 1, options.width])]
        if try !configuration.flag("use_absolute_position_embeddings", default: false) { options.positions = .none }
        let prefix = draft.prefix(of: options.projection.name + ".weight", among: options.prefixes)
        let isModule = draft.holds("\(prefix)layers.0.layernorm_before.weight")
        options.nameLikeViT(isModule: isModule)
        if try configuration.number("layer_scale_init_value", default: 0.1) > 0 {
            (options.layer.attentionScale, options.layer.feedForwardScale) = ("lambda_1", "lambda_2")
        }
        let bias = "relative_position_bias.relative_position_bias_table"
        let isOwn = try configuration.flag("use_relative_position_bias", default: false)
        if try configuration.flag("use_shared_relative_position_bias", default: false) {
            guard !isOwn else {
                throw configuration.unsupported("use_shared_relative_position_bias", "is true beside one in each layer")
            }
            let module = isModule ? "shared_position_bias" : "encoder.relative_position_bias"
            options.positionBias = { _ in "\(module).relative_position_bias_table" }
        } else if isOwn {
            let module = isModule ? "" : "attention.attention."
            options.positionBias = { [layerName = options.layerName] in "\(layerName($0))\(module)\(bias)" }
        }
        let (height, width) = (options.image.height / options.patch.height, options.image.width / options.patch.width)
        guard options.positionBias == nil || height == width else {
            throw configuration.unsupported(
                "image_size", "gives \(height) × \(width) patches; expected as many rows as columns")
        }
        let pools = try configuration.flag("use_mean_pooling", default: true)
        if !pools { options.finalNorm = "layernorm" }
        let stack = VisionStack(options, draft)
        let hidden = try stack.output()
        let read =
            pools
            ? try draft.norm(
                draft.patchMean(hidden, from: 1), "\(stack.prefix)pooler.layernorm", options.layer.norm, isHead: true)
            : draft.select(hidden, 1, 0)
        return try draft.linear(read, "classifier", configuration.classes(), isHead: true)
    }
}

extension GraphBuilder {
    /// The bias of BEiT for a first token and a grid of patches, [1, heads, tokens, tokens]. The table ends with rows
    /// for the first token to others, others to it, and it to itself.
    func patchBias(
        _ name: String, height: Int, width: Int, heads: Int
    ) throws(ModelFamilyError) -> GraphValue {
        let (count, rows) = (height * width, (2 * height - 1) * (2 * width - 1))
        let top = join(whole(rows + 2, [1, 1]), whole(rows, [1, count]), axis: 1)
        let below = join(whole(rows + 1, [count, 1]), offsets(height: height, width: width), axis: 1)
        return try positionBias(join(top, below, axis: 0), name, rows: rows + 3, heads: heads)
    }
}
