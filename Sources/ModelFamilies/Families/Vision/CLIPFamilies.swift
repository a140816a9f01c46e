internal import ExportedGraph

/// The image side of CLIP (Radford et al., arXiv 2103.00020) and SigLIP (Zhai et al., arXiv 2303.15343) as classifiers:
/// the mean of the patches' tokens, then `classifier`. The side for texts has no part in it, unless the tasks are whole
/// models, which tell by texts what an image shows (`CLIPCaptions`, `SiglipPairs`).
enum CLIPFamily: ModelFamily {
    static let modelTypes = ["clip", "siglip"]
    static let inert: Set = [
        "logit_scale_init_value", "projection_dim", "text_config", "text_config_dict", "tie_word_embeddings",
    ]
    static let spare = [
        "logit_scale", "logit_bias", "text_model.", "text_projection.", "visual_projection.", "vision_model.head.",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isSigmoid = try configuration.text("model_type", default: "") == "siglip"
        let whole = isSigmoid ? FamilyHead.pairs : .captions
        _ = try configuration.architecture(["ForImageClassification", whole.rawValue])
        let vision = try side("vision_config", configuration)
        let tower = try draft.clipTower(vision, isSigmoid: isSigmoid)
        if isSigmoid, configuration.head == whole {
            guard try vision.flag("vision_use_head", default: true) else {
                throw vision.unsupported("vision_use_head", "is false, but whole models have that head")
            }
        }
        try vision.checkRest(inert: CLIPVisionFamily.inert.union(ModelConfiguration.inert))
        guard configuration.head == whole else {
            return try draft.clipClasses(tower.hidden, isSigmoid: isSigmoid, configuration.classes())
        }
        let text = try side("text_config", configuration)
        if isSigmoid {
            let pairs = try SiglipPairs(text, width: tower.hidden.width ?? 0, draft)
            return try pairs.logits(image: tower.hidden, tower.layer)
        }
        let captions = try CLIPCaptions(text, width: configuration.count("projection_dim", default: 512), draft)
        return try captions.logits(image: tower.hidden, tower.norm)
    }

    /// What the configuration says of one side. Older ones say it twice; where they do, transformers takes the second.
    private static func side(
        _ key: String, _ configuration: ModelConfiguration
    ) throws(ModelFamilyError) -> ModelConfiguration {
        let first = try configuration.nested(key)
        guard let side = try configuration.nested("\(key)_dict") ?? first else {
            throw configuration.unsupported(key, "is missing")
        }
        return side
    }
}

/// The image side of CLIP or SigLIP, saved alone.
enum CLIPVisionFamily: ModelFamily {
    static let modelTypes = ["clip_vision_model", "siglip_vision_model"]
    static let inert = VisionStack.inert.union(["vision_use_head"])
    static let spare = ["visual_projection.", "vision_model.head.", "head."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let isSigmoid = try configuration.text("model_type", default: "") == "siglip_vision_model"
        _ = try configuration.architecture([
            "CLIPVisionModel", "CLIPVisionModelWithProjection", "SiglipVisionModel", "SiglipForImageClassification",
        ])
        return try draft.clipClasses(
            draft.clipTower(configuration, isSigmoid: isSigmoid).hidden, isSigmoid: isSigmoid, configuration.classes())
    }
}

extension GraphBuilder {
    /// The last output [batch, tokens, width], of SigLIP behind its norm, what the layers are like, and the norm
    /// of CLIP's other output.
    fileprivate func clipTower(
        _ configuration: ModelConfiguration, isSigmoid: Bool
    ) throws(ModelFamilyError) -> (hidden: GraphValue, layer: TransformerLayer, norm: (name: String, Norm)) {
        var options = try VisionOptions(
            configuration, activation: isSigmoid ? "gelu_pytorch_tanh" : "quick_gelu", epsilon: isSigmoid ? 1e-6 : 1e-5,
            patch: isSigmoid ? 16 : 32, prefix: "vision_model.")
        options.layer.feedForward.inner = try configuration.count("intermediate_size", default: 3072)
        options.projection = ("embeddings.patch_embedding", isSigmoid)
        options.positions = .table("embeddings.position_embedding")
        options.layerName = { "encoder.layers.\($0)." }
        options.layer.attention.names = AttentionNames("self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
        (options.layer.attentionNorm, options.layer.feedForwardNorm) = ("layer_norm1", "layer_norm2")
        (options.layer.feedForward.up, options.layer.feedForward.down) = ("mlp.fc1", "mlp.fc2")
        if isSigmoid {
            options.finalNorm = "post_layernorm"
        } else {
            options.classTokens = [("embeddings.class_embedding", [options.width])]
            options.firstNorm = "pre_layrnorm"
        }
        let stack = VisionStack(options, self)
        let hidden = try stack.output()
        let norm = (name: "\(stack.prefix)post_layernorm", options.layer.norm)
        if !isSigmoid {
            for part in ["weight", "bias"] { _ = try parameter("\(norm.name).\(part)", [options.width]) }
        }
        return (hidden, options.layer, norm)
    }

    fileprivate func clipClasses(
        _ hidden: GraphValue, isSigmoid: Bool, _ classes: Int
    ) throws(ModelFamilyError) -> GraphValue {
        try linear(patchMean(hidden, from: isSigmoid ? 0 : 1), "classifier", classes, isHead: true)
    }
}
