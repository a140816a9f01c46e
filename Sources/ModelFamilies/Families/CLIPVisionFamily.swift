internal import ExportedGraph

/// The image side of CLIP, saved alone.
enum CLIPVisionFamily: ModelFamily {
    static let inert: Set = ["attention_dropout", "dropout", "projection_dim", "tie_word_embeddings"]
    static let spare = ["visual_projection."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        _ = try configuration.architecture(["CLIPVisionModel", "CLIPVisionModelWithProjection"])
        return try classified(output(configuration, draft), classes: configuration.classes(), draft)
    }

    /// The last layer's output [batch, tokens, width].
    static func output(
        _ configuration: ModelConfiguration, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let tower = try VisionTower(configuration, activation: "quick_gelu", epsilon: 1e-5, patch: 32)
        let prefix = draft.prefix(of: "embeddings.class_embedding", among: ["vision_model.", ""])
        let whole = try draft.parameter("\(prefix)embeddings.class_embedding", [tower.width])
        let patches = try tower.patches(
            tower.pixels(draft), behind: whole, "\(prefix)embeddings.patch_embedding", hasBias: false, draft)
        let places = try draft.parameter(
            "\(prefix)embeddings.position_embedding.weight", [tower.tokens, tower.width])
        var hidden = try draft.layerNorm(
            draft.add(patches, places), "\(prefix)pre_layrnorm", epsilon: tower.epsilon)
        for index in 0..<tower.layers {
            let layer = "\(prefix)encoder.layers.\(index)."
            let names = AttentionNames("\(layer)self_attn.", "q_proj", "k_proj", "v_proj", "out_proj")
            let attended = try draft.attention(
                draft.layerNorm(hidden, "\(layer)layer_norm1", epsilon: tower.epsilon), names, heads: tower.heads,
                width: tower.headWidth, mask: nil)
            hidden = draft.add(hidden, attended)
            let changed = try draft.feedForward(
                draft.layerNorm(hidden, "\(layer)layer_norm2", epsilon: tower.epsilon),
                ("\(layer)mlp.fc1", "\(layer)mlp.fc2"), width: tower.inner, tower.activation)
            hidden = draft.add(hidden, changed)
        }
        // Of the model, but on the way to its other output.
        for part in ["weight", "bias"] { _ = try draft.parameter("\(prefix)post_layernorm.\(part)", [tower.width]) }
        return hidden
    }

    static func classified(
        _ hidden: GraphValue, classes: Int, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let patches = draft.slice(hidden, 1, from: 1, to: hidden.shape[1] ?? 1)
        return try draft.linear(draft.mean(patches, axis: 1), "classifier", classes, isHead: true)
    }
}
