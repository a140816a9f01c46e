internal import Files

extension AdapterConfiguration {
    /// Keys that say how the adapter was trained, found or named, and nothing about what its tensors mean: these say it
    /// themselves.
    private static let inert: Set = [
        "auto_mapping", "base_model_name_or_path", "ensure_weight_tying", "exclude_modules", "inference_mode",
        "layers_pattern",
        "layers_to_transform", "megatron_core", "modules_to_save", "peft_type", "peft_version", "qalora_group_size",
        "revision", "target_modules", "task_type",
    ]
    /// The settings of starts count as little: PEFT leaves them where it has converted an adapter to a plain one, and
    /// where it has not, `init_lora_weights` says so.
    private static let ofLoRA: Set = [
        "alpha_pattern", "bias", "corda_config", "eva_config", "fan_in_fan_out", "init_lora_weights", "lora_alpha",
        "lora_bias", "lora_dropout", "lora_ga_config", "r", "rank_pattern", "use_rslora",
    ]
    private static let ofIA3: Set = ["fan_in_fan_out", "feedforward_modules", "init_ia3_weights"]

    /// Starts of B and A that leave the base's weights alone.
    private static let harmlessStarts: Set = ["gaussian", "eva", "orthogonal", "mica"]
    /// Kinds that PEFT can turn into a LoRA, whose layers have `supports_lora_conversion`.
    static let convertibleKinds: Set = [
        "C3A", "DELORA", "FOURIERFT", "GRALORA", "LOHA", "LOKR", "MISS", "PSOFT", "RANDLORA", "TINYLORA", "UNILORA",
        "VBLORA", "VERA", "WAVEFT",
    ]
    static let conversion =
        "make it a LoRA with PEFT's `convert_to_lora` or `save_as_lora` and upload that, or upload full weights"
    private static let convertible: Set = ["pissa", "olora", "corda", "lora_ga"]

    private static let reasons = [
        "use_dora": "DoRA rescales the merged weights by their norms, which is no sum onto the base's",
        "layer_replication": "it repeats layers, so that the model is no longer the base's",
        "loftq_config": "LoftQ trains against a quantised base",
        "trainable_token_indices": "it trains single rows of the embedding",
        "target_parameters": "it adapts parameters of experts",
        "alora_invocation_tokens": "it works from an invocation on, not for all tokens",
    ]

    /// Refuses by name what is switched on and changes the arithmetic; what is unknown and switched off is ignored.
    static func checkKeys(_ values: [String: JSONValue], of kind: Kind) throws(AdapterError) {
        let known = inert.union(kind == .lora ? ofLoRA : ofIA3)
        for key in values.keys.sorted() where !known.contains(key) {
            guard let value = values[key], !value.isOff else { continue }
            let reason = reasons[key] ?? "nothing is known about it that would let it be merged"
            throw .unsupported(
                "`\(shown(key))` of \(fileName) is \(value.phrase): \(reason); train without it, or upload full "
                    + "weights")
        }
        try checkStart(values["init_lora_weights"] ?? .null)
    }

    private static func checkStart(_ value: JSONValue) throws(AdapterError) {
        switch value {
        case .null, .bool: return
        case .string(let start) where harmlessStarts.contains(start.lowercased()): return
        case .string(let start):
            let isConvertible = convertible.contains { start.lowercased().hasPrefix($0) }
            let advice =
                isConvertible
                ? "save it with path_initial_model_for_weight_conversion, which makes it a plain LoRA"
                : "upload full weights"
            throw .unsupported(
                "`init_lora_weights` is \(value.phrase), which takes its start out of the base's weights; \(advice)")
        default: throw .malformed("`init_lora_weights` of \(fileName) is \(value.phrase)")
        }
    }
}
