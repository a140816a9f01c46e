internal import ExportedGraph

/// ViT as a classifier of images: the normed first token, then `classifier`. Names are those of saved checkpoints, or where the base
/// has them those that transformers 5 gives the parameters of the module.
enum ViTFamily: ModelFamily {
    static let inert: Set = [
        "attention_probs_dropout_prob", "encoder_stride", "hidden_dropout_prob", "pooler_act", "pooler_output_size",
        "tie_word_embeddings",
    ]
    static let spare = [
        "decoder.", "pooler.", "vit.pooler.", "embeddings.mask_token", "vit.embeddings.mask_token",
    ]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let tower = try VisionTower(configuration, activation: "gelu", epsilon: 1e-12, patch: 16)
        let hasBias = try configuration.flag("qkv_bias", default: true)
        _ = try configuration.architecture(["ForImageClassification", "ForMaskedImageModeling", "ViTModel"])
        let prefix = draft.prefix(of: "embeddings.cls_token", among: ["vit.", ""])
        let isModule = draft.holds("\(prefix)layers.0.layernorm_before.weight")

        let pixels = tower.pixels(draft)
        let whole = try draft.parameter("\(prefix)embeddings.cls_token", [1, 1, tower.width])
        let patches = try tower.patches(
            pixels, behind: whole, "\(prefix)embeddings.patch_embeddings.projection", hasBias: true, draft)
        let places = try draft.parameter(
            "\(prefix)embeddings.position_embeddings", [1, tower.tokens, tower.width])
        var hidden = draft.add(patches, places)
        for index in 0..<tower.layers {
            let layer = prefix + (isModule ? "layers.\(index)." : "encoder.layer.\(index).")
            let names =
                isModule
                ? AttentionNames("\(layer)attention.", "q_proj", "k_proj", "v_proj", "o_proj")
                : AttentionNames(
                    "\(layer)attention.", "attention.query", "attention.key", "attention.value", "output.dense")
            let normed = try draft.layerNorm(hidden, "\(layer)layernorm_before", epsilon: tower.epsilon)
            let attended = try draft.attention(
                normed, names, heads: tower.heads, width: tower.headWidth, mask: nil, hasBias: hasBias,
                hasOutputBias: true)
            hidden = draft.add(attended, hidden)
            let changed = try draft.feedForward(
                draft.layerNorm(hidden, "\(layer)layernorm_after", epsilon: tower.epsilon),
                isModule
                    ? ("\(layer)mlp.fc1", "\(layer)mlp.fc2")
                    : ("\(layer)intermediate.dense", "\(layer)output.dense"),
                width: tower.inner, tower.activation)
            hidden = draft.add(changed, hidden)
        }
        let normed = try draft.layerNorm(hidden, "\(prefix)layernorm", epsilon: tower.epsilon)
        return try draft.linear(draft.select(normed, 1, 0), "classifier", configuration.classes(), isHead: true)
    }
}
