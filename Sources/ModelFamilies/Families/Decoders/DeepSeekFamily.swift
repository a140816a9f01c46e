internal import Files

/// DeepSeek-V2 and V3: narrow keys and values, and experts of which the best groups are chosen from (DeepSeek-AI, arXiv
/// 2405.04434, 2412.19437).
enum DeepSeekFamily: DecoderFamily {
    static let modelTypes = ["deepseek_v2", "deepseek_v3"]
    static let inert = DecoderStack.inert.union([
        "aux_loss_alpha", "ep_size", "moe_layer_freq", "num_local_experts", "num_nextn_predict_layers",
        "pretraining_tp",
        "seq_aux", "qk_head_dim", "head_dim", "num_key_value_heads",
    ])

    static func options(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> DecoderOptions {
        let isSecond = try configuration.text("model_type", default: "") == "deepseek_v2"
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) =
            isSecond ? (102_400, 4096, 11_008, 32) : (129_280, 7168, 18_432, 61)
        (defaults.heads, defaults.readsHeadWidth) = (isSecond ? 32 : 128, false)
        var options = try DecoderOptions.usual(configuration, defaults, rotary: false)
        let turned = try configuration.count("qk_rope_head_dim", default: 64)
        let plain = try configuration.count("qk_nope_head_dim", default: 128)
        let isInterleaved = isSecond ? true : try configuration.flag("rope_interleave", default: true)
        let rotary = try Rotary(configuration, headWidth: turned, isInterleaved: isInterleaved)
        options.rotaries = [rotary]
        var scale = 1 / Double(plain + turned).squareRoot()
        if case .yarn(let yarn) = rotary.scaling { scale *= yarn.scoreScale }
        options.layer.latent = LatentAttention(
            heads: options.layer.attention.heads, plainWidth: plain, turnedWidth: turned,
            valueWidth: try configuration.count("v_head_dim", default: 128),
            queryRank: try configuration.optionalCount("q_lora_rank", default: 1536),
            rank: try configuration.count("kv_lora_rank", default: 512), hasBias: options.layer.attention.hasBias,
            norm: .rms(1e-6), scale: scale)
        guard !isSecond else {
            try addSecondExperts(configuration, &options)
            return options
        }
        try addExperts(
            configuration, &options, count: 256, chosen: 8, groups: (8, 4), inner: 2048, dense: 3, scale: 2.5)
        return options
    }

    /// Those of DeepSeek-V2, chosen by their softmax.
    private static func addSecondExperts(
        _ configuration: ModelConfiguration, _ options: inout DecoderOptions
    ) throws(ModelFamilyError) {
        let method = try configuration.text("topk_method", default: "greedy")
        guard ["greedy", "group_limited_greedy"].contains(method) else {
            throw configuration.unsupported("topk_method", "is \"\(shown(method))\", which is not built here")
        }
        try configuration.demand("scoring_func", oneOf: [.string("softmax")])
        try configuration.demand("norm_topk_prob", oneOf: [.bool(false)])
        let width = try configuration.count("moe_intermediate_size", default: 1407)
        let (groups, best) = (try configuration.count("n_group"), try configuration.count("topk_group"))
        let isGrouped = method != "greedy"
        guard let chosen = try configuration.count("num_experts_per_tok") else {
            throw configuration.unsupported("num_experts_per_tok", "is missing, and it has no default")
        }
        let scoring = Experts.Scoring.groupedSoftmax(
            groups: isGrouped ? groups ?? 1 : 1, chosenGroups: isGrouped ? best ?? 1 : 1,
            scale: try configuration.number("routed_scaling_factor", default: 1))
        let experts = try configuration.experts(
            Experts(
                count: configuration.count("n_routed_experts", default: 64), chosen: chosen, router: "mlp.gate",
                scoring: scoring, form: .single("mlp.experts", .expert(options, inner: width)),
                shared: shared(options, inner: width * configuration.count("n_shared_experts", default: 2))))
        let first = try configuration.number("first_k_dense_replace", default: 0)
        options.vary = { $1.experts = Double($0) >= first ? experts : nil }
    }

    private static func shared(_ options: DecoderOptions, inner: Int) -> FeedForward {
        var shared = FeedForward.expert(options, inner: inner)
        (shared.gate, shared.up) = ("mlp.shared_experts.gate_proj", "mlp.shared_experts.up_proj")
        shared.down = "mlp.shared_experts.down_proj"
        return shared
    }

    /// Experts in all layers but the first ones, and one that every token goes through.
    static func addExperts(
        _ configuration: ModelConfiguration, _ options: inout DecoderOptions, count: Int, chosen: Int,
        groups: (Int, Int), inner: Int, dense: Int, scale: Double
    ) throws(ModelFamilyError) {
        try configuration.demand("topk_method", oneOf: [.string("noaux_tc")])
        try configuration.demand("scoring_func", oneOf: [.string("sigmoid")])
        let width = try configuration.count("moe_intermediate_size", default: inner)
        let shared = shared(options, inner: width * (try configuration.count("n_shared_experts", default: 1)))
        let experts = try configuration.experts(
            Experts(
                count: configuration.count("n_routed_experts", default: count),
                chosen: configuration.count("num_experts_per_tok", default: chosen), router: "mlp.gate",
                scoring: .sigmoid(
                    bias: "mlp.gate.e_score_correction_bias",
                    groups: configuration.count("n_group", default: groups.0),
                    chosenGroups: configuration.count("topk_group", default: groups.1),
                    normalises: configuration.flag("norm_topk_prob", default: true),
                    scale: configuration.number("routed_scaling_factor", default: scale)),
                form: .single("mlp.experts", .expert(options, inner: width)), shared: shared))
        let first = try configuration.number("first_k_dense_replace", default: Double(dense))
        options.vary = { $1.experts = Double($0) >= first ? experts : nil }
    }
}

extension FeedForward {
    /// A gated part under its own name, of another width than the model's dense ones.
    static func expert(_ options: DecoderOptions, inner: Int) -> FeedForward {
        FeedForward(
            form: .gated, inner: inner, activation: options.layer.feedForward.activation, gate: "gate_proj",
            up: "up_proj", down: "down_proj")
    }
}

extension ModelConfiguration {
    /// The experts, where as many can be chosen as are to be.
    func experts(_ experts: Experts) throws(ModelFamilyError) -> Experts {
        guard experts.chosen <= experts.count else {
            throw unsupported("num_experts_per_tok", "is \(experts.chosen), of \(experts.count) experts")
        }
        if case .groupedSoftmax(let groups, let best, _) = experts.scoring, groups > 1 {
            guard experts.count.isMultiple(of: groups), best <= groups,
                experts.chosen <= best * (experts.count / groups)
            else {
                throw unsupported("n_group", "is \(groups), which does not divide \(experts.count) experts into groups")
            }
        }
        if case .sigmoid(_, let groups, let chosen, _, _) = experts.scoring {
            guard experts.count.isMultiple(of: groups), chosen <= groups, experts.count / groups >= 2 else {
                throw unsupported("n_group", "is \(groups), which does not divide \(experts.count) experts into groups")
            }
        }
        return experts
    }
}
