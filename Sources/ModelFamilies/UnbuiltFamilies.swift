/// Kinds of models that neither are built here nor export, so that an archive is no way out.
enum UnbuiltFamilies {
    /// States that are carried from token to token.
    private static let recurrent: Set = [
        "bamba", "falcon_h1", "falcon_mamba", "granitemoehybrid", "jamba", "kimi_linear", "lfm2_moe", "mamba",
        "mamba2", "minimax", "nemotron_h", "olmo_hybrid", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text",
        "qwen3_5_text", "qwen3_next", "recurrent_gemma", "rwkv", "rwkv5", "rwkv6", "rwkv7", "rwkv_hybrid", "xlstm",
        "zamba", "zamba2",
    ]
    private static let speech: Set = [
        "hubert", "seamless_m4t", "sew", "speech_to_text", "unispeech", "wav2vec2", "wav2vec2-bert",
        "wav2vec2-conformer", "wavlm", "whisper",
    ]

    /// What keeps a value of `model_type` from being run; nil where it may be exported.
    static func reason(_ type: String) -> String? {
        if recurrent.contains(type) {
            return "a state-space or linear-attention model, whose scan is not built here and does not export"
        }
        return speech.contains(type) ? "a speech model, which is not built here and does not export" : nil
    }
}
