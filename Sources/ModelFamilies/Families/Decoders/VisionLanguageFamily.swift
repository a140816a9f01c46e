internal import Files

/// The language part of a model for images and text, for tasks of text alone: without an image the tower has no part in
/// the logits, and positions along all axes are the same. Tensors of the tower stay the base's where tasks lack them.
enum VisionLanguageFamily: ModelFamily {
    static let modelTypes = [
        "gemma3", "idefics3", "internvl", "llava", "llava_next", "llava_onevision", "mistral3", "qwen2_5_vl",
        "qwen2_vl", "qwen3_vl", "smolvlm",
    ]
    /// Kinds of the part under `text_config`.
    private static let parts: [String: any DecoderFamily.Type] = [
        "gemma": GemmaFamily.self, "gemma2": GemmaFamily.self, "gemma3_text": GemmaFamily.self,
        "llama": LlamaFamily.self, "ministral3": MistralFamily.self, "mistral": MistralFamily.self,
        "phi3": Phi3Family.self, "qwen2": QwenFamily.self, "qwen2_5_vl_text": QwenFamily.self,
        "qwen2_vl_text": QwenFamily.self, "qwen3": QwenFamily.self, "qwen3_vl_text": QwenFamily.self,
    ]
    /// What a part is where it does not say so.
    private static let usual = [
        "gemma3": "gemma3_text", "idefics3": "llama", "internvl": "qwen2", "llava_onevision": "qwen2",
        "mistral3": "mistral", "qwen2_5_vl": "qwen2", "qwen2_vl": "qwen2", "qwen3_vl": "qwen3", "smolvlm": "llama",
    ]

    /// Keys of images and of where they stand in a text.
    static let inert = parts.values.reduce(
        into: Set([
            "attention_dropout", "boi_token_index", "downsample_ratio", "eoi_token_index", "ignore_index",
            "image_grid_pinpoints", "image_seq_length", "image_token_id", "image_token_index", "mm_tokens_per_image",
            "multimodal_projector_bias", "projector_hidden_act", "scale_factor", "spatial_merge_size", "text_config",
            "tie_word_embeddings", "use_image_newline_parameter", "video_token_id", "video_token_index",
            "vision_aspect_ratio", "vision_config", "vision_end_token_id", "vision_feature_layer",
            "vision_feature_select_strategy", "vision_start_token_id", "vision_token_id",
        ])
    ) { $0.formUnion($1.inert) }

    /// Towers, and what makes tokens of their outputs.
    static let spare =
        DecoderStack.spare
        + ["connector.", "image_newline", "multi_modal_projector.", "vision_model.", "vision_tower.", "visual."]
        .flatMap { [$0, "model.\($0)"] }

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let whole = try configuration.text("model_type", default: "")
        let nested = try configuration.nested("text_config")
        let type = try nested?.text("model_type", default: usual[whole] ?? "llama") ?? usual[whole] ?? "llama"
        guard let part = parts[type] else {
            throw configuration.unsupported("text_config.model_type", "is \"\(shown(type))\", which is not built here")
        }
        let text = nested ?? configuration
        var options = try part.options(text, draft)
        options.prefixes = ["model.language_model.", "language_model.model.", "model.text_model.", "model.", ""]
        options.outputNames = ["lm_head", "language_model.lm_head"]
        options.isTied = !options.outputNames.contains { draft.holds("\($0).weight") }
        let logits = try DecoderStack(options, draft).logits(configuration)
        try nested?.checkRest(
            inert: part.inert.union(ModelConfiguration.inert).union(["tie_word_embeddings", "use_mrope"]))
        return logits
    }
}
