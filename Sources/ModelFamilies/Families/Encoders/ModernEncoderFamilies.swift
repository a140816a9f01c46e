/// ModernBERT: norms before each part, rotary positions, windows in two of three layers (Warner et al., arXiv
/// 2412.13663).
enum ModernBertFamily: ModelFamily {
    static let modelTypes = ["modernbert"]
    static let inert = EncoderStack.inert.union([
        "causal_mask", "compile", "decoder_bias", "deterministic_flash_attn", "deterministic_fa2", "embedding_dropout",
        "gradient_checkpointing", "initializer_cutoff_factor", "layer_norm_eps", "mlp_dropout",
        "position_embedding_type",
        "reference_compile", "repad_logits_with_grad", "sparse_pred_ignore_index", "sparse_prediction", "unpad_inputs",
    ])
    static let spare = ["decoder.", "head."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let width = try configuration.count("hidden_size", default: 768)
        let heads = try configuration.count("num_attention_heads", default: 12)
        var attention = SelfAttention(
            heads: heads, width: try configuration.headWidth(width, heads: heads, key: "num_attention_heads"))
        attention.layout = .sections("attn.Wqkv")
        attention.names = AttentionNames("attn.", "q", "k", "v", "Wo")
        attention.hasBias = try configuration.flag("attention_bias", default: false)
        attention.hasOutputBias = attention.hasBias
        let feedForward = FeedForward(
            form: .joined, inner: try configuration.count("intermediate_size", default: 1152),
            activation: try configuration.activation("hidden_activation", default: "gelu"), up: "mlp.Wi",
            down: "mlp.Wo", hasBias: try configuration.flag("mlp_bias", default: false))
        let norm = Norm.layer(
            try configuration.number("norm_eps", default: 1e-5),
            hasBias: try configuration.flag("norm_bias", default: false))
        var layer = TransformerLayer(attention: attention, feedForward: feedForward, norm: norm)
        (layer.attentionNorm, layer.feedForwardNorm) = ("attn_norm", "mlp_norm")
        let vocabulary = try configuration.count("vocab_size", default: 50_368)
        var options = EncoderOptions(
            vocabulary: vocabulary, width: width,
            layers: try configuration.count("num_hidden_layers", default: 22), layer: layer, prefix: "model.")
        options.embeddingName = "embeddings.tok_embeddings"
        options.padding = try configuration.padding("pad_token_id", default: 50_283, rows: vocabulary)
        options.embeddingNorm = ("embeddings.norm", norm)
        options.finalNorm = ("final_norm", norm)
        options.layerName = { "layers.\($0)." }
        let global = try configuration.number("global_rope_theta", default: 160_000)
        options.rotaries = try Rotary.byLayerType(
            configuration, headWidth: attention.width, theta: global, local: ("local_rope_theta", 10_000))
        let period = try configuration.count("global_attn_every_n_layers", default: 3)
        let window = try configuration.count("local_attention", default: 128) / 2
        let isSliding = try configuration.slidingLayers(options.layers) { $0 % period != 0 }
        options.vary = {
            if $0 == 0 { $1.attentionNorm = nil }
            $1.window = isSliding($0) ? window : nil
            $1.rotary = isSliding($0) ? 1 : 0
        }
        return try EncoderStack(options, draft).modernHead(configuration, draft, norm)
    }
}

extension EncoderStack {
    /// A layer with a norm before the classes, for sequences and tokens.
    fileprivate func modernHead(
        _ configuration: ModelConfiguration, _ graph: GraphBuilder, _ norm: Norm
    ) throws(ModelFamilyError) -> GraphValue {
        let activation = try configuration.activation("classifier_activation", default: "gelu")
        let head = HeadLayer(
            name: "head.dense", activation: activation,
            hasBias: try configuration.flag("classifier_bias", default: false), norm: ("head.norm", norm))
        let pooling = try configuration.text("classifier_pooling", default: "cls")
        guard ["cls", "mean"].contains(pooling) else {
            throw configuration.unsupported("classifier_pooling", "is \"\(pooling)\"; expected cls or mean")
        }
        return try logits(
            EncoderHead(configuration), configuration, graph, sequence: [head], tokens: [head],
            answer: "classifier", masked: masked(head, configuration),
            pooling: pooling == "mean" ? { graph.mean($0, over: $1.mask) } : nil)
    }
}

/// ModernBERT's: the layer before the classes serves before the tokens, too.
private func masked(_ head: HeadLayer, _ configuration: ModelConfiguration) throws(ModelFamilyError) -> MaskedHead? {
    guard let activation = head.activation, let norm = head.norm else { return nil }
    let hasBias = try configuration.flag("decoder_bias", default: true)
    return try MaskedHead(
        head.name, activation, norm: norm, hasBias: head.hasBias, decoder: "decoder",
        bias: hasBias ? ["decoder.bias"] : [], configuration)
}

/// NomicBERT: BERT with rotary positions and gated feed-forward parts (Nussbaum et al., arXiv 2402.01613), under the
/// names of files or those of transformers 5.
enum NomicBertFamily: ModelFamily {
    static let modelTypes = ["nomic_bert"]
    static let inert = EncoderStack.inert
    static let spare = ["pooler.", "nomic_bert.pooler.", "cls."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var options = try EncoderOptions.bert(configuration, prefix: "nomic_bert.")
        options.positions = nil
        let heads = options.layer.attention.heads
        let width = try configuration.count("head_dim", default: options.layer.attention.width)
        var attention = SelfAttention(heads: heads, width: width)
        let prefix = draft.prefix(of: "embeddings.word_embeddings.weight", among: options.prefixes)
        let isModule = draft.holds("\(prefix)layers.0.self_attn.q_proj.weight")
        options.layerName = { isModule ? "layers.\($0)." : "encoder.layers.\($0)." }
        options.layer.feedForward.form = .gated
        options.layer.feedForward.hasBias = false
        if isModule {
            (options.layer.attentionNorm, options.layer.feedForwardNorm) = (
                "post_attention_layernorm", "post_mlp_layernorm"
            )
            options.layer.feedForward.gate = "mlp.gate_proj"
            (options.layer.feedForward.up, options.layer.feedForward.down) = ("mlp.up_proj", "mlp.down_proj")
        } else {
            attention.layout = .sections("attn.Wqkv")
            attention.names = AttentionNames("attn.", "q", "k", "v", "out_proj")
            (options.layer.attentionNorm, options.layer.feedForwardNorm) = ("norm1", "norm2")
            options.embeddingNorm?.name = "emb_ln"
            options.layer.feedForward.gate = "mlp.fc12"
            (options.layer.feedForward.up, options.layer.feedForward.down) = ("mlp.fc11", "mlp.fc2")
        }
        options.layer.feedForward.activation = try configuration.activation("hidden_act", default: "silu")
        options.layer.attention = attention
        options.rotaries = [try Rotary(configuration, headWidth: width, theta: 1000)]
        options.layer.rotary = 0
        let stack = EncoderStack(options, draft)
        let pooler = HeadLayer(name: "\(stack.prefix)pooler.dense", activation: .tanh)
        return try stack.logits(
            EncoderHead(configuration), configuration, draft, sequence: [pooler],
            masked: .bert(configuration, options.layer.norm, normName: "layer_norm"))
    }
}

/// EuroBERT: Llama's layers, read in both directions (Boizard et al., arXiv 2503.05500).
enum EuroBertFamily: ModelFamily {
    static let modelTypes = ["eurobert"]
    static let inert = EncoderStack.inert.union(["clf_pooling", "pretraining_tp", "mask_token"])
    static let spare = ["lm_head.weight"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        var defaults = DecoderDefaults()
        (defaults.vocabulary, defaults.width, defaults.inner, defaults.layers) = (128_256, 768, 3072, 12)
        (defaults.heads, defaults.epsilon.value) = (12, 1e-5)
        let usual = try DecoderOptions.usual(configuration, defaults)
        var options = EncoderOptions(
            vocabulary: usual.vocabulary, width: usual.width, layers: usual.layers, layer: usual.layer,
            prefix: "model.")
        options.embeddingName = "embed_tokens"
        options.padding = usual.padding
        options.rotaries = usual.rotaries
        options.layerName = { "layers.\($0)." }
        options.finalNorm = ("norm", usual.layer.norm)
        let stack = EncoderStack(options, draft)
        let head = try EncoderHead(configuration)
        let dense = HeadLayer(name: "dense", activation: .gelu)
        switch try configuration.text("classifier_pooling", default: "late") {
        case "bos": return try stack.logits(head, configuration, draft, sequence: [dense])
        case "mean":
            return try stack.logits(head, configuration, draft, sequence: [dense]) { draft.mean($0, over: $1.mask) }
        case "late":
            guard head == .sequence else { return try stack.logits(head, configuration, draft, sequence: []) }
            // The classes of each token, then their mean.
            let inputs = stack.inputs(readsFirst: false)
            let hidden = try stack.output(inputs)
            let wide = draft.apply(.gelu, try draft.linear(hidden, "dense", usual.width, isHead: true))
            let classes = try draft.linear(wide, "classifier", configuration.classes(), isHead: true)
            return draft.mean(classes, over: inputs.mask)
        case let other:
            throw configuration.unsupported("classifier_pooling", "is \"\(other)\"; expected bos, mean or late")
        }
    }
}
