import Files
import Foundation
import Testing

@testable import Tasks

/// Which differences between two `config.json` are differences of the arithmetic.
struct ConfigurationComparisonTests {
    private static let llama = """
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 32, "num_attention_heads": 4,
         "num_key_value_heads": 2, "hidden_act": "silu", "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "max_position_embeddings": 64,
         "tie_word_embeddings": false, "rope_scaling": null, "vocab_size": 64}
        """

    private static func object(_ text: String) throws -> [String: JSONValue] {
        try JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
    }

    private func comparison(_ change: String, of base: String = llama) throws -> ConfigurationComparison {
        let origin = try Self.object(base)
        let own = origin.merging(try Self.object(change)) { $1 }
        return ConfigurationComparison(own, base: origin)
    }

    /// Of a model for images and text the language part may be fine-tuned alone.
    @Test func comparesALanguagePartWithThatOfTheBase() throws {
        let text = try Self.object(Self.llama)
        let whole: [String: JSONValue] = [
            "model_type": "llava", "text_config": .object(text), "vision_config": .object(["hidden_size": 16]),
        ]
        #expect(ConfigurationComparison(text, base: whole).faults.isEmpty)
        let other = text.merging(["rms_norm_eps": .number(0.1)]) { $1 }
        #expect(ConfigurationComparison(other, base: whole).faults.map(\.key) == ["rms_norm_eps"])
        let foreign = text.merging(["model_type": "mistral"]) { $1 }
        #expect(ConfigurationComparison(foreign, base: whole).faults.map(\.key) == ["model_type"])
    }

    @Test(arguments: [
        (#"{"rope_theta": 500000.0}"#, "rope_parameters.rope_theta"),
        (#"{"rope_scaling": {"type": "linear", "factor": 4.0}}"#, "rope_parameters.factor"),
        (#"{"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}"#, "rope_parameters.rope_type"),
        (
            #"{"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 2e7}}"#,
            "rope_parameters.rope_theta"
        ),
        (#"{"hidden_act": "gelu"}"#, "hidden_act"), (#"{"rms_norm_eps": 0.1}"#, "rms_norm_eps"),
        (#"{"num_key_value_heads": 4}"#, "num_key_value_heads"), (#"{"attention_bias": true}"#, "attention_bias"),
        (#"{"head_dim": 16}"#, "head_dim"), (#"{"model_type": "mistral", "sliding_window": 8}"#, "model_type"),
        (#"{"tie_word_embeddings": true}"#, "tie_word_embeddings"),
        (#"{"num_attention_heads": 8}"#, "num_attention_heads"),
    ]) func namesKeysThatChangeTheLogits(_ change: String, _ key: String) throws {
        let found = try comparison(change)
        #expect(found.faults.contains { $0.key == key }, "\(found)")
    }

    /// The decoder's output is scaled where T5's embeddings are tied.
    @Test func comparesTheTieOfT5BothWays() throws {
        let base = #"{"model_type": "t5", "tie_word_embeddings": true}"#
        let found = try comparison(#"{"tie_word_embeddings": false}"#, of: base)
        #expect(found.faults.map(\.key) == ["tie_word_embeddings"])
        #expect(try comparison(#"{"tie_word_embeddings": true}"#, of: base).faults == [])
    }

    @Test(arguments: [
        #"{"torch_dtype": "float16", "use_cache": false, "transformers_version": "9", "_name_or_path": "x"}"#,
        #"{"attention_dropout": 0.1, "initializer_range": 0.5, "pretraining_tp": 2}"#,
        #"{"rope_theta": 10000, "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}"#,
        #"{"hidden_act": "swish"}"#, #"{"head_dim": 8}"#, #"{"mlp_bias": false, "attention_bias": false}"#,
        #"{"num_labels": 7, "id2label": {"0": "x"}, "architectures": ["LlamaForSequenceClassification"]}"#,
        #"{"max_position_embeddings": 128}"#, #"{"vocab_size": 61}"#, #"{"pad_token_id": 3, "eos_token_id": [1, 2]}"#,
        #"{"rms_norm_eps": 0.000001}"#, #"{"layer_types": ["full_attention", "full_attention"]}"#,
    ]) func ignoresKeysThatDoNot(_ change: String) throws {
        let found = try comparison(change)
        #expect(found.faults.isEmpty && found.unknown.isEmpty, "\(found)")
    }

    @Test func warnsOfKeysThatTransformersDoesNotKnow() throws {
        let found = try comparison(#"{"a_key_of_tomorrow": 3}"#)
        #expect(found.faults.isEmpty && found.unknown.map(\.key) == ["a_key_of_tomorrow"])
    }

    @Test(arguments: [
        (#"{"model_type": "mistral", "sliding_window": null}"#, #"{"sliding_window": 8}"#, true),
        (#"{"model_type": "mistral"}"#, #"{"sliding_window": 4096}"#, false),
        (
            #"{"model_type": "qwen2", "use_sliding_window": false, "sliding_window": 8}"#, #"{"sliding_window": 16}"#,
            false
        ),
        (#"{"model_type": "roberta", "pad_token_id": 1}"#, #"{"pad_token_id": 0}"#, true),
        (#"{"model_type": "gpt2", "n_head": 12, "n_embd": 768}"#, #"{"activation_function": "relu"}"#, true),
        (
            #"{"model_type": "gpt2", "activation_function": "gelu_new"}"#,
            #"{"activation_function": "gelu_pytorch_tanh"}"#, false
        ),
        (#"{"model_type": "gpt2"}"#, #"{"scale_attn_by_inverse_layer_idx": true}"#, true),
        (
            #"{"model_type": "gpt_neox", "rotary_pct": 0.25, "rotary_emb_base": 10000}"#, #"{"rope_theta": 10000.0}"#,
            false
        ),
        (#"{"model_type": "gpt_neox", "rotary_pct": 0.25}"#, #"{"rotary_pct": 1.0}"#, true),
        (#"{"model_type": "mistral", "head_dim": null}"#, #"{"head_dim": 128}"#, false),
        (#"{"model_type": "gemma2"}"#, #"{"attn_logit_softcapping": 30.0}"#, true),
        (#"{"model_type": "bert"}"#, #"{"layer_norm_eps": 1e-12}"#, false),
        (#"{"model_type": "bert"}"#, #"{"layer_norm_eps": 1e-5}"#, true),
        (#"{"model_type": "a_new_kind", "x": 1}"#, #"{"x": 2}"#, true),
        (#"{"model_type": "vit", "image_size": 224}"#, #"{"image_size": 384}"#, true),
    ]) func knowsFamilies(_ base: String, _ change: String, _ differs: Bool) throws {
        let found = try comparison(change, of: base)
        #expect(found.faults.isEmpty != differs, "\(found)")
    }

    @Test func readsTheTextPartWhereverItStands() throws {
        let flat = try Self.object(
            #"{"model_type": "qwen2_5_vl", "rms_norm_eps": 1e-6, "hidden_size": 8, "vision_config": {"depth": 2}}"#)
        let nested = try Self.object(
            #"{"model_type": "qwen2_5_vl", "text_config": {"model_type": "qwen2_5_vl_text", "rms_norm_eps": 1e-6, "hidden_size": 8},"#
                + #""vision_config": {"depth": 2}}"#)
        #expect(ConfigurationComparison(flat, base: nested).faults.isEmpty)
        let other = try Self.object(
            #"{"model_type": "qwen2_5_vl", "text_config": {"model_type": "qwen2_5_vl_text", "rms_norm_eps": 1e-5}}"#)
        #expect(!ConfigurationComparison(other, base: nested).faults.isEmpty)
    }

    /// Keys of two versions of transformers in which a graph is the same.
    @Test(arguments: [
        (
            #"{"model_type": "gemma", "hidden_act": "gelu", "hidden_activation": null}"#,
            #"{"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "pad_token_id": 1}"#, false
        ),
        (#"{"model_type": "gemma", "hidden_act": "gelu"}"#, #"{"hidden_act": "relu"}"#, true),
        (
            #"{"model_type": "gemma3_text", "sliding_window_pattern": 6, "num_hidden_layers": 2, "head_dim": 256}"#,
            #"{"sliding_window_pattern": null, "layer_types": ["sliding_attention", "sliding_attention"]}"#, false
        ),
        (
            #"{"model_type": "gemma3_text", "sliding_window_pattern": 2, "num_hidden_layers": 2, "head_dim": 256}"#,
            #"{"layer_types": ["sliding_attention", "sliding_attention"]}"#, true
        ),
        (
            #"{"model_type": "llama", "rms_norm_eps": 1e-6}"#,
            #"{"model_type": "mistral", "sliding_window": null, "num_key_value_heads": 32, "#
                + #""intermediate_size": 11008}"#,
            false
        ),
        (#"{"model_type": "llama", "rms_norm_eps": 1e-6}"#, #"{"model_type": "mistral", "sliding_window": 64}"#, true),
        (#"{"model_type": "t5"}"#, #"{"feed_forward_proj": "relu", "dense_act_fn": "relu"}"#, false),
    ]) func comparesWhatIsBuiltOfBoth(_ base: String, _ change: String, _ differs: Bool) throws {
        let found = try comparison(change, of: base)
        #expect(found.faults.isEmpty != differs && found.unknown.isEmpty, "\(found)")
    }

    private struct Changes: Decodable {
        struct Change: Decodable {
            var base: String
            var change: [String: JSONValue]
            var differs: Bool
        }

        var bases: [String: [String: JSONValue]]
        var changes: [Change]
    }

    /// Logits of transformers' models under both configurations (`Tools/make_configuration_fixtures.py`).
    @Test func agreesWithTheLogitsOfTransformers() throws {
        let path = Bundle.module.bundlePath + "/Fixtures/configurations.json"
        let changes = try JSONDecoder().decode(Changes.self, from: Data(contentsOf: URL(filePath: path)))
        #expect(changes.changes.count > 100)
        for change in changes.changes {
            let base = try #require(changes.bases[change.base])
            var own = base
            for (key, value) in change.change { own[key] = value == .null ? nil : value }
            let found = ConfigurationComparison(own, base: base)
            // A window that is longer than the text counts, too.
            let isLongWindow = change.change["sliding_window"] == 4096
            #expect(found.faults.isEmpty != (change.differs || isLongWindow), "\(change) \(found)")
        }
    }

    @Test func knowsManyFamilies() {
        for type in ["llama", "bert", "t5", "qwen3", "gemma3_text", "whisper", "clip"] {
            #expect(ConfigurationDefaults.of(type) != nil)
        }
    }
}
