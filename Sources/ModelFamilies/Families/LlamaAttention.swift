internal import ExportedGraph
internal import Files

/// Attention whose queries and keys are turned by their positions (Su et al., arXiv 2104.09864), with fewer heads of keys and values
/// than of queries where the configuration says so.
struct LlamaAttention {
    /// Cosines and sines [tokens, width] of the angles by which a position turns each pair of a head's entries.
    struct Rotation {
        var cosine: GraphValue
        var sine: GraphValue
    }

    private let heads: Int
    private let sharedHeads: Int
    private let width: Int
    private let theta: Double
    private let scaling: RotaryScaling
    private let hasBias: Bool

    init(_ configuration: ModelConfiguration, width modelWidth: Int) throws(ModelFamilyError) {
        heads = try configuration.count("num_attention_heads", default: 32)
        sharedHeads = try configuration.count("num_key_value_heads", default: heads)
        if let given = try configuration.count("head_dim") {
            width = given
        } else {
            width = try configuration.headWidth(modelWidth, heads: heads, key: "num_attention_heads")
        }
        hasBias = try configuration.flag("attention_bias", default: false)
        guard heads.isMultiple(of: sharedHeads) else {
            throw configuration.unsupported("num_key_value_heads", "is \(sharedHeads), which does not divide \(heads)")
        }
        guard width.isMultiple(of: 2) else {
            throw configuration.unsupported("head_dim", "is \(width), which is odd")
        }
        let base = try configuration.number("rope_theta", default: 10_000)
        try configuration.demand("partial_rotary_factor", oneOf: [.integer(1)])
        let parameters = try configuration.nested("rope_parameters")
        // As in transformers, what stands under the older key goes before the whole of the newer.
        let rope = try configuration.nested("rope_scaling") ?? parameters
        theta = try rope?.number("rope_theta", default: base) ?? base
        scaling = try RotaryScaling(rope, in: configuration)
        guard theta > 0 else { throw configuration.unsupported("rope_theta", "is \(theta), which gives no angles") }
    }

    /// The angle of position p and pair i is p · θ^(−2i/width), or where the configuration says so a lower one.
    func rotation(_ tokens: AxisLength, _ draft: GraphBuilder) -> Rotation {
        let half: [Int?] = [width / 2]
        let even = draft.call(
            "arange.start_step",
            [
                "start": .int(0), "end": .int(width), "step": .int(2), "dtype": .dtype("float32"),
                "device": .device("cpu"),
            ], half)
        let power = draft.call(
            "pow.Scalar", ["self": .double(theta), "exponent": draft.divide(even, by: .int(width)).argument], half)
        let frequency = scaling.apply(to: draft.map("reciprocal", power), draft)
        let places = draft.unsqueeze(draft.convert(draft.range(tokens), to: "float32"), 1)
        let angles = draft.call(
            "mul.Tensor", ["self": places.argument, "other": frequency.argument], [tokens.value] + half)
        let both = draft.join(angles, angles, axis: 1)
        return Rotation(cosine: draft.map("cos", both), sine: draft.map("sin", both))
    }

    func output(
        _ hidden: GraphValue, _ prefix: String, _ rotation: Rotation, _ mask: GraphValue, _ draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        func project(_ name: String, _ heads: Int) throws(ModelFamilyError) -> GraphValue {
            let values = try draft.linear(hidden, "\(prefix)\(name)", heads * width, hasBias: hasBias)
            return draft.splitHeads(values, heads)
        }
        let query = turned(try project("q_proj", heads), rotation, draft)
        let key = turned(try project("k_proj", sharedHeads), rotation, draft)
        let value = try project("v_proj", sharedHeads)
        let times = heads / sharedHeads
        let result = draft.attention(
            query, draft.repeatHeads(key, times: times), draft.repeatHeads(value, times: times), mask: mask,
            scale: 1 / Double(width).squareRoot())
        return try draft.linear(
            draft.joinHeads(result), "\(prefix)o_proj", hidden.width ?? 0, hasBias: hasBias)
    }

    /// The pair of entry i is entry i + width/2.
    private func turned(_ heads: GraphValue, _ rotation: Rotation, _ draft: GraphBuilder) -> GraphValue {
        let first = draft.slice(heads, 3, from: 0, to: width / 2)
        let second = draft.slice(heads, 3, from: width / 2, to: width)
        let across = draft.join(draft.map("neg", second), first, axis: 3)
        return draft.add(draft.multiply(heads, rotation.cosine), draft.multiply(across, rotation.sine))
    }
}
