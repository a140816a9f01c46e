import Files
import ModelFamilies

/// Keys of `config.json` that say nothing about the logits of a fine-tune, and values that mean the same.
enum ConfigurationKeys {
    /// Beside those of `ModelConfiguration.inert`: numbers of rows that the tensors tell, what is made of the logits,
    /// and notes.
    private static let inert: Set = [
        "add_bos_token", "auto_map", "base_model_name_or_path", "keys_to_ignore_at_inference", "pretraining_tp",
        "quantization_config", "router_jitter_noise", "transformers_weights", "vocab_size", "use_mems_train", "mem_len",
        "output_router_logits", "disable_custom_kernels", "is_encoder_decoder", "num_nextn_predict_layers", "reuse_len",
        "reorder_and_upcast_attn", "summary_activation", "summary_type", "summary_use_proj", "summary_proj_to_labels",
        "unsloth_requires_gpu",
    ]
    /// Parts of the names of keys of losses, dropout, augmentation and starts.
    private static let parts = [
        "dropout", "_drop", "drop_", "_pdrop", "layerdrop", "loss", "_cost", "initializer", "init_std", "mask_time_",
        "mask_feature_", "spec_augment", "ctc_", "aux_", "mtp_", "_attn_implementation", "torch_dtype", "z_loss",
    ]
    /// Kinds whose positions are counted from the padding token.
    private static let countedFromPadding: Set = [
        "camembert", "data2vec-text", "esm", "ibert", "layoutlmv3", "lilt", "longformer", "mpnet", "roberta",
        "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
    ]

    static func isInert(_ key: String, of modelType: String) -> Bool {
        if key == "pad_token_id" { return !countedFromPadding.contains(modelType) }
        return BaseGraph.inertKeys.contains(key) || inert.contains(key) || parts.contains { key.contains($0) }
    }

    /// What counts where no value is stated and the kind's default is not known.
    static func usual(_ key: String) -> JSONValue {
        if key.hasSuffix("rope_type") { return "default" }
        // Of the kinds whose positions are counted from it.
        if key == "pad_token_id" { return 1 }
        return key.hasSuffix("partial_rotary_factor") ? 1 : .null
    }

    /// Activations by the name that stands for all that compute the same.
    private static let activations = [
        "gelu_python": "gelu", "swish": "silu", "gelu_pytorch_tanh": "gelu_new", "gelu_python_tanh": "gelu_new",
        "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new",
    ]

    /// Whether two values of a key mean the same.
    static func areEqual(_ key: String, _ first: JSONValue, _ second: JSONValue) -> Bool {
        if first == second { return true }
        if let first = first.double, let second = second.double {
            return first == second || first.isNaN && second.isNaN
        }
        if let first = first.text, let second = second.text {
            return activations[first] ?? first == activations[second] ?? second
        }
        if case .array(let first) = first, case .array(let second) = second {
            return first.count == second.count && zip(first, second).allSatisfy { areEqual(key, $0, $1) }
        }
        if case .object(let first) = first, case .object(let second) = second {
            return Set(first.keys) == Set(second.keys)
                && first.allSatisfy { name, value in second[name].map { areEqual(name, value, $0) } ?? false }
        }
        return false
    }
}
