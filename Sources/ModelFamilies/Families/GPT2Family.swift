internal import ExportedGraph

/// GPT-2 as a language model or a classifier of sequences (Radford et al., 2019). Its matrices lie transposed, [in, out].
enum GPT2Family: ModelFamily {
    static let inert: Set = [
        "attn_pdrop", "embd_pdrop", "n_ctx", "n_special", "predict_special_tokens", "resid_pdrop", "summary_activation",
        "summary_first_dropout",
        "summary_proj_to_labels", "summary_type", "summary_use_proj",
    ]
    /// Masks that older versions saved, and the language model's head, of which a classifier has no use.
    static let spare = [".attn.bias", ".attn.masked_bias", "lm_head.weight"]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let classifier = "GPT2ForSequenceClassification"
        let isClassifier = try configuration.architecture(["GPT2LMHeadModel", classifier]) == classifier
        let vocabulary = try configuration.count("vocab_size", default: 50257)
        let width = try configuration.count("n_embd", default: 768)
        let layers = try configuration.count("n_layer", default: 12)
        let heads = try configuration.count("n_head", default: 12)
        let positions = try configuration.count("n_positions", default: 1024)
        let inner = try configuration.count("n_inner", default: 4 * width)
        let activation = try configuration.activation("activation_function", default: "gelu_new")
        let epsilon = try configuration.number("layer_norm_epsilon", default: 1e-5)
        let isScaled = try configuration.flag("scale_attn_weights", default: true)
        let isScaledByLayer = try configuration.flag("scale_attn_by_inverse_layer_idx", default: false)
        let isTied = try configuration.flag("tie_word_embeddings", default: true)
        let headWidth = try configuration.headWidth(width, heads: heads, key: "n_head")
        let prefix = draft.prefix(of: "wte.weight", among: ["transformer.", ""])

        let tokens = draft.input("input_ids", "int64", [nil, nil])
        let mask = draft.causalMask(tokens, padding: draft.paddingInput(isPaddedAtEnd: true))
        let head = "lm_head.weight"
        let embedding = try draft.parameter(
            "\(prefix)wte.weight", [vocabulary, width], aliases: isTied && !isClassifier ? [head] : [])
        let places = try draft.parameter("\(prefix)wpe.weight", [positions, width])
        var hidden = draft.add(
            draft.embedding(tokens, embedding), draft.embedding(draft.range(draft.length(tokens, 1)), places))
        for index in 0..<layers {
            let layer = "\(prefix)h.\(index)."
            let normed = try draft.layerNorm(hidden, "\(layer)ln_1", epsilon: epsilon)
            let joint = try transposedLinear(normed, "\(layer)attn.c_attn", 3 * width, draft)
            let parts = (0..<3).map { part in
                draft.splitHeads(draft.slice(joint, 2, from: part * width, to: (part + 1) * width), heads)
            }
            let scale = (isScaled ? 1 / Double(headWidth).squareRoot() : 1) / (isScaledByLayer ? Double(index + 1) : 1)
            let attended = draft.joinHeads(draft.attention(parts[0], parts[1], parts[2], mask: mask, scale: scale))
            hidden = draft.add(try transposedLinear(attended, "\(layer)attn.c_proj", width, draft), hidden)
            let second = try draft.layerNorm(hidden, "\(layer)ln_2", epsilon: epsilon)
            let wide = draft.apply(activation, try transposedLinear(second, "\(layer)mlp.c_fc", inner, draft))
            hidden = draft.add(hidden, try transposedLinear(wide, "\(layer)mlp.c_proj", width, draft))
        }
        let normed = try draft.layerNorm(hidden, "\(prefix)ln_f", epsilon: epsilon)
        guard !isClassifier else {
            return try draft.classified(normed, tokens, configuration, vocabulary: vocabulary)
        }
        return draft.linear(normed, isTied ? embedding : try draft.parameter(head, [vocabulary, width]))
    }

    /// x·W + b.
    private static func transposedLinear(
        _ value: GraphValue, _ name: String, _ outputs: Int, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        let inputs = value.width ?? 0
        let weight = try draft.parameter("\(name).weight", [inputs, outputs])
        let bias = try draft.parameter("\(name).bias", [outputs])
        let turned = draft.call("t", ["self": weight.argument], [outputs, inputs])
        return draft.linear(value, turned, bias)
    }
}
