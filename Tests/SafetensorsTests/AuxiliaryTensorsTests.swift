import Testing

@testable import Safetensors

/// Buffers that one side lacks, and tensors that only a base has.
struct AuxiliaryTensorsTests {
    @Test(arguments: [
        "embeddings.position_ids", "embeddings.token_type_ids", "layers.0.self_attn.rotary_emb.inv_freq",
        "model.rotary_emb.original_inv_freq", "layers.0.rotary_emb.cos_cached", "h.0.attn.masked_bias",
        "layers.0._extra_state",
        "model.rotary_emb_local.inv_freq", "attention.self.relative_position_index", "norm.num_batches_tracked",
        "decoder.embed_positions.weights", "encoder.version", "full_attention_inv_freq", "rope.freqs",
    ]) func takesBuffers(_ name: String) throws {
        #expect(AuxiliaryTensors.isBuffer(name, shape: [1]))
        let base = try checkpoint(["a.weight"])
        #expect(try checkpoint(["a.weight", name]).fitted(to: base).names == ["a.weight"])
        #expect(
            try checkpoint(["a.weight", name]).fitted(to: base) {
                [$0]
            } isNeeded: { _ in
                true
            } isUsed: {
                $0 == name
            }
            .names.contains(name))
        #expect(try AuxiliaryTensors.optional(in: checkpoint(["a.weight", name]), parameters: nil) == [name])
        #expect(try AuxiliaryTensors.optional(in: checkpoint(["a.weight", name]), parameters: [name]).isEmpty)
    }

    @Test(arguments: [
        ("attn.bias", [8]), ("embeddings.position_embeddings.weight", [4, 4]), ("e_score_correction_bias", [4]),
        ("conversion.version", [1]), ("inv_freq.weight", [4]), ("mask.weight", [1, 1, 4, 4]),
    ]) func keepsParameters(_ name: String, _ shape: [Int]) { #expect(!AuxiliaryTensors.isBuffer(name, shape: shape)) }

    @Test func takesMasksByTheirShape() {
        #expect(AuxiliaryTensors.isBuffer("h.0.attn.bias", shape: [1, 1, 8, 8]))
        #expect(AuxiliaryTensors.isBuffer("gpt_neox.layers.0.attention.bias", shape: [1, 1, 8, 8]))
        #expect(!AuxiliaryTensors.isBuffer("h.0.mlp.bias", shape: [1, 1, 8, 8]))
    }

    @Test(arguments: [
        "mtp.fc.weight", "model.mtp.layers.0.a.weight", "mtp_dspark.a", "model.mtp_layers.0.a", "cls.predictions.bias",
        "talker.a", "token2wav.a", "bert.pooler.dense.weight", "vit.embeddings.mask_token",
        "mask_predictions.dense.weight",
        "model.layers.61.eh_proj.weight", "model.layers.61.mlp.a",
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight",
    ]) func leavesToTheBaseWhatTransformersLeavesOut(_ name: String) throws {
        let rest = ["model.layers.0.mlp.a", "model.layers.61.enorm.weight", "model.layers.6.a"]
        let base = try checkpoint(rest + [name].filter { !rest.contains($0) })
        let optional = AuxiliaryTensors.optional(in: base, parameters: nil)
        #expect(optional.contains(name) && !optional.contains("model.layers.0.mlp.a"))
        #expect(!optional.contains("model.layers.6.a"))
        #expect(AuxiliaryTensors.optional(in: base, parameters: Set(base.names)).isEmpty)
    }

    @Test func aQuantizerIsOptionalInSpeechAlone() throws {
        #expect(try AuxiliaryTensors.optional(in: checkpoint(["quantizer.a", "b"]), parameters: nil).isEmpty)
        let names = ["quantizer.a", "project_q.a", "b"]
        #expect(try AuxiliaryTensors.optional(in: checkpoint(names), parameters: nil).count == 2)
    }
}
