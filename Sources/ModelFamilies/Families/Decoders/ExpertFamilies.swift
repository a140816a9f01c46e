/// Mixtral: Mistral with experts (Jiang et al., arXiv 2401.04088). Files hold each expert by itself.
enum MixtralFamily: DecoderFamily {
    static let modelTypes = ["mixtral"]

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.inner, defaults.epsilon.value, defaults.theta) = (14_336, 1e-5, 1_000_000)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.window = try configuration.optionalCount("sliding_window")
        var expert = options.layer.feedForward
        (expert.gate, expert.up, expert.down) = ("w1", "w3", "w2")
        options.layer.experts = try configuration.experts(
            Experts(
                count: configuration.count("num_local_experts", default: 8),
                chosen: configuration.count("num_experts_per_tok", default: 2), router: "block_sparse_moe.gate",
                scoring: .softmax(normalises: true), form: .single("block_sparse_moe.experts", expert)))
        return options
    }
}

/// Qwen2 and Qwen3 with experts in some or all layers (arXiv 2407.10671, 2505.09388); the former's share one more part,
/// behind a gate of its own.
enum QwenMoEFamily: DecoderFamily {
    static let modelTypes = ["qwen2_moe", "qwen3_moe"]
    static let inert = QwenFamily.inert.union(["num_local_experts"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        let isSecond = try configuration.text("model_type", default: "") == "qwen2_moe"
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (151_936, 2048, 6144, 24)
        if isSecond { (defaults.inner, defaults.heads) = (5632, 16) }
        var options = try DecoderOptions.usual(configuration, defaults)
        if isSecond {
            options.layer.attention.hasBias = try configuration.flag("qkv_bias", default: true)
        } else {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
        }
        let isUsed = try configuration.flag("use_sliding_window", default: false)
        let given = try configuration.optionalCount("sliding_window", default: 4096)
        let window = isUsed ? given : nil
        let older = try configuration.count("num_local_experts", default: isSecond ? 60 : 128)
        var experts = try configuration.experts(
            Experts(
                count: configuration.count("num_experts", default: older),
                chosen: configuration.count("num_experts_per_tok", default: isSecond ? 4 : 8), router: "mlp.gate",
                scoring: .softmax(normalises: configuration.flag("norm_topk_prob", default: false)),
                form: .single(
                    "mlp.experts",
                    .expert(
                        options,
                        inner: configuration.count("moe_intermediate_size", default: isSecond ? 1408 : 768)))))
        if isSecond { try addShared(configuration, options, &experts) }
        let step = try configuration.count("decoder_sparse_step", default: 1)
        let dense = Set(try configuration.integers("mlp_only_layers") ?? [])
        let first = isSecond ? try configuration.number("max_window_layers", default: 28) : 0
        let isSliding = try configuration.slidingLayers(options.layers) { Double($0) >= first }
        options.vary = { [experts] in
            $1.experts = !dense.contains($0) && ($0 + 1) % step == 0 ? experts : nil
            $1.window = !isSecond || isSliding($0) ? window : nil
        }
        return options
    }

    private static func addShared(
        _ configuration: ModelConfiguration, _ options: DecoderOptions, _ experts: inout Experts
    ) throws(ModelFamilyError) {
        let inner = try configuration.count("shared_expert_intermediate_size", default: 5632)
        var shared = FeedForward.expert(options, inner: inner)
        (shared.gate, shared.up) = ("mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj")
        shared.down = "mlp.shared_expert.down_proj"
        (experts.shared, experts.sharedGate) = (shared, "mlp.shared_expert_gate")
    }
}

/// OLMoE: OLMo 2's norms of queries and keys, Llama's places of norms, experts in all layers (arXiv 2409.02060).
enum OlmoeFamily: DecoderFamily {
    static let modelTypes = ["olmoe"]
    static let inert = DecoderStack.inert.union(["num_local_experts"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (50_304, 2048, 2048, 16)
        (defaults.heads, defaults.epsilon.value) = (16, 1e-5)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.queryKeyNorm = QueryKeyNorm(extent: .whole, norm: options.layer.norm)
        options.layer.experts = try configuration.experts(
            Experts(
                count: configuration.count("num_experts", default: 64),
                chosen: configuration.count("num_experts_per_tok", default: 8), router: "mlp.gate",
                scoring: .softmax(normalises: configuration.flag("norm_topk_prob", default: false)),
                form: .single("mlp.experts", .expert(options, inner: options.layer.feedForward.inner))))
        return options
    }
}

/// gpt-oss: windows in every other layer, sinks, and experts in one tensor each (arXiv 2508.10925).
enum GPTOSSFamily: DecoderFamily {
    static let modelTypes = ["gpt_oss"]
    static let inert = DecoderStack.inert.union(["experts_per_token", "initial_context_length"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (201_088, 2880, 2880, 36)
        (defaults.heads, defaults.headWidth, defaults.epsilon.value) = (64, 64, 1e-5)
        (defaults.theta, defaults.attentionBias) = (150_000, true)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.sinks = "self_attn.sinks"
        options.layer.experts = try configuration.experts(
            Experts(
                count: configuration.count("num_local_experts", default: 128),
                chosen: configuration.count("num_experts_per_tok", default: 4), router: "mlp.router",
                hasRouterBias: true, scoring: .chosenSoftmax,
                form: .fused(
                    "mlp.experts", inner: options.layer.feedForward.inner,
                    alpha: configuration.number("swiglu_alpha", default: 1.702),
                    limit: configuration.number("swiglu_limit", default: 7))))
        let window = try configuration.optionalCount("sliding_window", default: 128)
        let isSliding = try configuration.slidingLayers(options.layers) { ($0 + 1) % 2 != 0 }
        options.vary = { $1.window = isSliding($0) ? window : nil }
        return options
    }
}

/// GLM-4.5: experts chosen as in DeepSeek-V3 (arXiv 2508.06471).
enum GLM4MoEFamily: DecoderFamily {
    static let modelTypes = ["glm4_moe"]
    static let inert = DecoderStack.inert.union(["num_local_experts", "num_nextn_predict_layers"])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.inner, defaults.layers, defaults.heads) = (151_552, 10_944, 46, 96)
        (defaults.epsilon.value, defaults.partial) = (1e-5, 0.5)
        var options = try DecoderOptions.usual(configuration, defaults)
        options.layer.attention.hasOutputBias = false
        if try configuration.flag("use_qk_norm", default: false) {
            options.layer.attention.queryKeyNorm = QueryKeyNorm(norm: options.layer.norm)
        }
        try DeepSeekFamily.addExperts(
            configuration, &options, count: 128, chosen: 8, groups: (1, 1), inner: 1408, dense: 1, scale: 1)
        return options
    }
}
