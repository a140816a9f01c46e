import ExportedGraph
import Foundation
import ModelFamilies
import Safetensors
import Testing

/// Configurations that no graph is built for: each is refused with the key that says so.
@Suite struct RefusalTests {
    private struct Case: CustomTestStringConvertible {
        var base: String
        var key: String
        var value: Any & Sendable
        var testDescription: String { "\(base): \(key) = \(value)" }

        init(_ base: String, _ key: String, _ value: Any & Sendable) {
            self.base = base
            self.key = key
            self.value = value
        }
    }

    private static func object(_ values: [String: any Sendable]) -> [String: any Sendable] { values }

    private static let unsupported: [Case] = [
        Case("bert", "model_type", "perceiver"), Case("bert", "hidden_act", "gelu_10"),
        Case("bert", "architectures", ["BertForNextSentencePrediction"]),
        Case("bert", "architectures", ["BertForSequenceClassification", "BertModel"]),
        Case("bert", "position_embedding_type", "relative_key"), Case("bert", "is_decoder", true),
        Case("bert", "add_cross_attention", true), Case("bert", "is_encoder_decoder", true),
        Case("bert", "num_attention_heads", 3), Case("bert", "quantization_config", ["bits": 4]),
        Case("bert", "pruned_heads", ["0": [1]]), Case("bert", "an_option_of_tomorrow", 1),
        Case("distilbert", "activation", "xielu"), Case("distilbert", "n_heads", 3),
        Case("vit", "architectures", ["ViTForObjectDetection"]), Case("vit", "use_mask_token", true),
        Case("vit", "patch_size", 16), Case("vit", "layerscale_value", 0.5),
        Case("t5", "feed_forward_proj", "gated-swishglu"), Case("t5", "dense_act_fn", "gelu"),
        Case("t5", "is_gated_act", true), Case("t5", "is_encoder_decoder", false),
        Case("t5", "relative_attention_num_buckets", 7), Case("t5", "architectures", ["T5EncoderModel"]),
        Case("llama", "rope_scaling", object(["rope_type": "llama3", "factor": 8])),
        Case(
            "llama", "rope_scaling",
            object(["rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4])),
        Case("llama", "rope_scaling", object(["type": "linear"])),
        Case("llama", "rope_scaling", object(["type": "linear", "factor": 0])),
        Case("llama", "rope_scaling", object(["type": "linear", "factor": 2, "a_part_of_tomorrow": 1])),
        Case("llama", "rope_scaling", object(["rope_type": "linear", "type": "yarn", "factor": 2])),
        Case("llama", "rope_scaling", object(["type": "dynamic", "factor": -2])),
        Case("llama", "rope_interleaved", true),
        Case("llama", "rope_parameters", object(["rope_type": "yarn", "rope_theta": 10000])),
        Case("llama", "rope_parameters", object(["rope_type": "default", "partial_rotary_factor": 0.5])),
        Case("llama", "partial_rotary_factor", 0.5), Case("llama", "num_key_value_heads", 3),
        Case("llama", "pretraining_tp", 2), Case("llama", "architectures", ["LlamaForQuestionAnswering"]),
        Case("llama", "sliding_window", 4096), Case("gpt2", "reorder_and_upcast_attn", true),
        Case("llama", "quantization_config", object(["quant_method": "bitsandbytes", "load_in_4bit": true])),
        Case("gpt2", "add_cross_attention", true), Case("gpt2", "architectures", ["GPT2DoubleHeadsModel"]),
    ]

    @Test(arguments: unsupported.indices) func whatIsNotBuiltIsRefusedByItsKey(index: Int) throws {
        let test = Self.unsupported[index]
        let base = try AlteredBase(test.base, [test.key: test.value])
        let error = #expect(throws: ModelFamilyError.self, "\(test.testDescription)") {
            try BaseGraph.open(directory: base.directory)
        }
        guard case .unsupported(_, let key, _)? = error else {
            Issue.record("\(test.testDescription): \(error?.description ?? "")")
            return
        }
        #expect(key.hasPrefix(test.key), "\(key)")
        #expect(error?.description.contains("Tools/export_model.py") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test(arguments: [
        ("mamba", "state-space"), ("rwkv", "state-space"), ("qwen3_next", "linear-attention"),
        ("whisper", "speech"),
    ])
    func whatDoesNotExportIsNotSentToTheExport(_ type: String, _ kind: String) throws {
        let base = try AlteredBase("llama", ["model_type": type])
        let error = #expect(throws: ModelFamilyError.self) { try BaseGraph.open(directory: base.directory) }
        let text = error?.description ?? ""
        for word in ["`model_type` is \"\(type)\"", kind, "average, task-arithmetic, ties or dare"] {
            #expect(text.contains(word), "\(text)")
        }
        #expect(!text.contains("export_model.py"))
    }

    @Test func aClassifierThatLooksBackNeedsToKnowItsPadding() throws {
        for name in ["llama-classes", "gpt2-classes"] {
            for token in [NSNull(), -1] as [Any] {
                let base = try AlteredBase(name, ["pad_token_id": token])
                let error = #expect(throws: ModelFamilyError.self) { try BaseGraph.open(directory: base.directory) }
                #expect(error?.description.contains("`pad_token_id` is not given or below 0") == true)
            }
        }
    }

    private static let malformed: [Case] = [
        Case("bert", "hidden_size", "8"), Case("bert", "hidden_size", 0), Case("bert", "hidden_size", -8),
        Case("bert", "hidden_size", 7.5), Case("bert", "num_hidden_layers", 1e300), Case("bert", "vocab_size", true),
        Case("bert", "architectures", "BertModel"), Case("bert", "pad_token_id", 24), Case("bert", "id2label", [1]),
        Case("bert", "layer_norm_eps", "small"), Case("vit", "image_size", [8, 8, 8]), Case("vit", "qkv_bias", 1),
        Case("clip", "vision_config", [1]), Case("gpt2", "n_inner", 1 << 40), Case("llama", "rope_theta", "large"),
    ]

    @Test(arguments: malformed.indices) func aValueOfAnotherTypeIsRefusedByItsKey(index: Int) throws {
        let test = Self.malformed[index]
        let base = try AlteredBase(test.base, [test.key: test.value])
        let error = #expect(throws: ModelFamilyError.self, "\(test.testDescription)") {
            try BaseGraph.open(directory: base.directory)
        }
        guard case .malformed? = error else {
            Issue.record("\(test.testDescription): \(error?.description ?? "")")
            return
        }
        #expect(error?.description.contains("`\(test.key)`") == true)
    }

    /// What the configuration describes is not what the weights are.
    private static let otherWeights: [(Case, String)] = [
        (Case("bert", "vocab_size", 25), "bert.embeddings.word_embeddings.weight"),
        (Case("bert", "num_hidden_layers", 3), "bert.encoder.layer.2.attention.self.query.weight"),
        (Case("bert", "num_hidden_layers", 1), "bert.encoder.layer.1.attention.output.LayerNorm.bias"),
        (Case("bert", "num_hidden_layers", 1_000_000_000), "bert.encoder.layer.2.attention.self.query.weight"),
        (Case("bert", "intermediate_size", 16), "bert.encoder.layer.0.intermediate.dense.weight"),
        (Case("vit", "image_size", 12), "vit.embeddings.position_embeddings"),
        (Case("vit", "qkv_bias", false), "vit.encoder.layer.0.attention.attention.key.bias"),
        (Case("t5", "feed_forward_proj", "gated-gelu"), "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"),
        (Case("llama", "num_key_value_heads", 4), "model.layers.0.self_attn.k_proj.weight"),
        (Case("llama", "tie_word_embeddings", false), "lm_head.weight"),
        (Case("llama", "attention_bias", true), "model.layers.0.self_attn.q_proj.bias"),
        (Case("llama-untied", "mlp_bias", false), "model.layers.0.mlp.down_proj.bias"),
        (Case("gpt2", "n_inner", 12), "transformer.h.0.mlp.c_fc.weight"),
    ]

    @Test(arguments: otherWeights.indices) func weightsOfAnotherArchitectureAreRefusedByTheTensor(index: Int) throws {
        let (test, tensor) = Self.otherWeights[index]
        let base = try AlteredBase(test.base, [test.key: test.value, "dense_act_fn": nil, "is_gated_act": nil])
        let error = #expect(throws: ModelFamilyError.self, "\(test.testDescription)") {
            try BaseGraph.open(directory: base.directory)
        }
        guard case .weights(_, let name, _)? = error else {
            Issue.record("\(test.testDescription): \(error?.description ?? "")")
            return
        }
        #expect(name == tensor)
    }

    @Test(arguments: ["", "[]", "{", "{\"model_type\": 1}", "{}", "null"])
    func aConfigurationThatIsNoneIsRefused(text: String) throws {
        let base = try AlteredBase("bert")
        try base.write(Data(text.utf8))
        #expect(throws: ModelFamilyError.self) { try BaseGraph.open(directory: base.directory) }
    }

    @Test(arguments: ["vision_use_head", "projection_size"])
    func sidesOfSiglipThatCannotBeComparedAreRefused(key: String) throws {
        let side = key == "vision_use_head" ? "vision_config" : "text_config"
        let values: [String: any Sendable] = [
            "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": side == "text_config" ? 1 : 2,
            "intermediate_size": side == "text_config" ? 8 : 12, "image_size": 8, "patch_size": 4, "vocab_size": 16,
            key: key == "vision_use_head" ? false : 12,
        ]
        let base = try AlteredBase("siglip-pairs", [side: values])
        let error = #expect(throws: ModelFamilyError.self) {
            try BaseGraph.open(directory: base.directory, head: .pairs)
        }
        #expect(error?.description.contains("`\(side).\(key)`") == true, "\(error?.description ?? "")")
    }

    @Test func aKeyOfAnObjectInTheConfigurationIsNamedWithItsPlace() throws {
        let vision: [String: any Sendable] = ["hidden_size": 8, "num_attention_heads": 2, "hidden_act": "gelu_10"]
        let base = try AlteredBase("clip", ["vision_config": vision])
        let error = #expect(throws: ModelFamilyError.self) { try BaseGraph.open(directory: base.directory) }
        #expect(error?.description.contains("`vision_config.hidden_act`") == true)
    }
}
