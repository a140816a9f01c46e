internal import ExportedGraph

/// ViT (Dosovitskiy et al., arXiv 2010.11929) and DeiT (Touvron et al., arXiv 2012.12877) as classifiers of images: the
/// normed first token, then `classifier`; DeiT with a teacher: the mean of two classifiers. Names are those of files,
/// or where the base has them those that transformers 5 gives the parameters of the module.
enum ViTFamily: ModelFamily {
    static let modelTypes = ["vit", "deit"]
    static let inert = VisionStack.inert
    static let spare = [
        "decoder.", "pooler.", "vit.pooler.", "deit.pooler.", "embeddings.mask_token", "vit.embeddings.mask_token",
        "deit.embeddings.mask_token", "distillation_classifier.", "cls_classifier.",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isDistilled = try configuration.text("model_type", default: "") == "deit"
        let architecture = try configuration.architecture([
            "ForImageClassificationWithTeacher", "ForImageClassification", "ForMaskedImageModeling", "ViTModel",
            "DeiTModel",
        ])
        var options = try VisionOptions(
            configuration, activation: "gelu", epsilon: 1e-12, patch: 16, prefix: isDistilled ? "deit." : "vit.")
        let single = [1, 1, options.width]
        options.classTokens = [("embeddings.cls_token", single)]
        if isDistilled { options.classTokens.append(("embeddings.distillation_token", single)) }
        options.finalNorm = "layernorm"
        let prefix = draft.prefix(of: options.projection.name + ".weight", among: options.prefixes)
        options.nameLikeViT(isModule: draft.holds("\(prefix)layers.0.layernorm_before.weight"))
        let hidden = try VisionStack(options, draft).output()
        let classes = try configuration.classes()
        guard architecture == "ForImageClassificationWithTeacher" else {
            return try draft.linear(draft.select(hidden, 1, 0), "classifier", classes, isHead: true)
        }
        let both = draft.add(
            try draft.linear(draft.select(hidden, 1, 0), "cls_classifier", classes, isHead: true),
            try draft.linear(draft.select(hidden, 1, 1), "distillation_classifier", classes, isHead: true))
        return draft.divide(both, by: .int(2))
    }
}

extension VisionOptions {
    /// Names of the layers of ViT in files, or in the module of transformers 5.
    mutating func nameLikeViT(isModule: Bool) {
        (layer.attentionNorm, layer.feedForwardNorm) = ("layernorm_before", "layernorm_after")
        if isModule {
            layerName = { "layers.\($0)." }
            layer.attention.names = AttentionNames("attention.", "q_proj", "k_proj", "v_proj", "o_proj")
            (layer.feedForward.up, layer.feedForward.down) = ("mlp.fc1", "mlp.fc2")
        } else {
            layer.attention.names = AttentionNames(
                "attention.", "attention.query", "attention.key", "attention.value", "output.dense")
            (layer.feedForward.up, layer.feedForward.down) = ("intermediate.dense", "output.dense")
        }
    }
}

/// DINOv2, with registers or without (Oquab et al., arXiv 2304.07193; Darcet et al., arXiv 2309.16588): the first token
/// and the mean of the patches, then `classifier`.
enum DINOv2Family: ModelFamily {
    static let modelTypes = ["dinov2", "dinov2_with_registers"]
    static let inert = VisionStack.inert.union([
        "apply_layernorm", "interpolate_antialias", "interpolate_offset", "layerscale_value", "use_mask_token",
    ])
    static let spare = ["embeddings.mask_token"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let type = try configuration.text("model_type", default: "")
        _ = try configuration.architecture(["ForImageClassification", "Dinov2Model", "Dinov2WithRegistersModel"])
        var options = try VisionOptions(
            configuration, activation: "gelu", epsilon: 1e-6, patch: type == "dinov2" ? 14 : 16, prefix: "\(type).")
        let width = options.width
        options.classTokens = [("embeddings.cls_token", [1, 1, width])]
        if type != "dinov2" {
            options.registers = (
                "embeddings.register_tokens", try configuration.count("num_register_tokens", default: 4)
            )
        }
        options.finalNorm = "layernorm"
        let prefix = draft.prefix(of: options.projection.name + ".weight", among: options.prefixes)
        let isModule = draft.holds("\(prefix)layers.0.norm1.weight")
        options.nameLikeViT(isModule: isModule)
        (options.layer.attentionNorm, options.layer.feedForwardNorm) = ("norm1", "norm2")
        (options.layer.attentionScale, options.layer.feedForwardScale) = (
            "layer_scale1.lambda1", "layer_scale2.lambda1"
        )
        let inner = width * (try configuration.count("mlp_ratio", default: 4))
        if try configuration.flag("use_swiglu_ffn", default: false) {
            let narrow = (Int(Double(inner) * 2 / 3) + 7) / 8 * 8
            let isSplit = draft.holds("\(prefix)\(options.layerName(0))mlp.gate_proj.weight")
            options.layer.feedForward = FeedForward(
                form: isSplit ? .gated : .joined, inner: narrow, activation: .silu,
                up: isSplit ? "mlp.up_proj" : "mlp.weights_in", down: isSplit ? "mlp.down_proj" : "mlp.weights_out",
                hasBias: true)
        } else {
            options.layer.feedForward.inner = inner
            (options.layer.feedForward.up, options.layer.feedForward.down) = ("mlp.fc1", "mlp.fc2")
        }
        let hidden = try VisionStack(options, draft).output()
        let both = draft.join(
            draft.select(hidden, 1, 0), draft.patchMean(hidden, from: 1 + (options.registers?.count ?? 0)), axis: 1)
        return try draft.linear(both, "classifier", configuration.classes(), isHead: true)
    }
}
