/// Tensors that a fine-tune does not learn, so that one of two checkpoints may lack them: buffers that libraries save
/// or compute, and parts of a base that transformers leaves out when it loads the model.
package enum AuxiliaryTensors {
    /// Last parts of the names of buffers, which follow from the configuration.
    private static let buffers: Set<Substring> = [
        "position_ids", "token_type_ids", "inv_freq", "masked_bias", "causal_mask", "causal_attention_mask",
        "attn_mask",
        "cos_cached", "sin_cached", "freqs_cis", "num_batches_tracked", "relative_position_index",
        "relative_coords_table", "_extra_state", "embed_scale", "mup_vector", "periods",
    ]
    private static let attentions = ["attn", "attention"]

    /// Parts of modules that predict further tokens, or that only a pretraining uses.
    private static let ofPretraining: Set<Substring> = [
        "cls", "lm_predictions", "mask_predictions", "discriminator_predictions", "generator_predictions",
        "generator_lm_head", "vocab_transform", "vocab_layer_norm", "vocab_projector", "masked_spec_embed",
        "mask_token",
        "pooler",
    ]
    /// What wav2vec 2 predicts from; where there is no projection, a quantizer is a part of the model.
    private static let ofSpeech: Set<Substring> = ["quantizer", "project_q", "project_hid"]
    /// First parts of models that speak beside the one that is fine-tuned.
    private static let speakers: Set<Substring> = ["talker", "token2wav", "code2wav"]
    /// What DeepSeek's and GLM's layers for further tokens have and others do not.
    private static let marksOfNextTokens: Set<Substring> = ["eh_proj", "enorm", "hnorm"]

    /// Whether a tensor of this name and shape is a buffer: positions, frequencies of rotary embeddings, masks,
    /// counters.
    package static func isBuffer(_ name: String, shape: [Int]) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.last else { return false }
        if buffers.contains(last) || last.hasSuffix("_inv_freq") { return true }
        let parents = parts.dropLast()
        // Rotary embeddings have nothing that is learned.
        if parents.contains(where: { $0.hasPrefix("rotary_") || $0 == "rope" }) { return true }
        guard let parent = parents.last else { return false }
        switch last {
        case "bias":
            // The mask of GPT-2 and its like; a bias has one axis.
            return shape.count == 4 && shape.prefix(2).allSatisfy { $0 == 1 }
                && attentions.contains { parent.hasSuffix($0) }
        case "version": return parent == "encoder" || parent == "decoder"
        case "weights": return parent == "embed_positions"
        default: return false
        }
    }

    /// Those of a base's tensors that a fine-tune may lack. `parameters`: what its graph takes as parameters, which a
    /// fine-tune must have; nil without a graph: then the names tell what transformers leaves out.
    package static func optional(in base: Checkpoint, parameters: Set<String>?) -> Set<String> {
        let nextTokens = Set(base.names.compactMap(Self.layerOfNextTokens))
        let isSpeech = base.names.contains { $0.hasPrefix("project_q.") }
        return Set(
            base.names.filter { name in
                if parameters?.contains(name) == true { return false }
                if isBuffer(name, shape: base.entry(name)?.shape ?? []) { return true }
                return parameters == nil && isLeftOut(name, nextTokens, isSpeech: isSpeech)
            })
    }

    private static func isLeftOut(_ name: String, _ nextTokens: Set<String>, isSpeech: Bool) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.contains(where: { $0 == "mtp" || $0.hasPrefix("mtp_") || ofPretraining.contains($0) }) { return true }
        if let first = parts.first, speakers.contains(first) || isSpeech && ofSpeech.contains(first) { return true }
        if name.hasSuffix("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight") { return true }
        return nextTokens.contains { name.hasPrefix($0) }
    }

    /// The layer that a tensor of such a module belongs to, as a prefix: `model.layers.61.`.
    private static func layerOfNextTokens(_ name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let mark = parts.firstIndex(where: { marksOfNextTokens.contains($0) }), mark > 0,
            Int(parts[mark - 1]) != nil
        else { return nil }
        return parts[..<mark].joined(separator: ".") + "."
    }
}
