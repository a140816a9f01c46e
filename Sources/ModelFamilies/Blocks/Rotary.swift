internal import ExportedGraph
internal import Files

/// Rotary positions: pairs of a head's entries are turned by angles that grow with the position (Su et al., arXiv
/// 2104.09864).
struct Rotary {
    /// Entries of a head that are turned, from the first; the rest stays.
    var width: Int
    var theta: Double
    var scaling: RotaryScaling
    /// Entries 2i and 2i + 1 are a pair, as in GPT-J; else entries i and i + width/2.
    var isInterleaved = false

    /// Cosines and sines [tokens, width] of the angles by which a position turns each entry.
    struct Rotation {
        var cosine: GraphValue
        var sine: GraphValue
        var isInterleaved: Bool
    }

    /// The angle of position p and pair i is p · θ^(−2i/width), or where the configuration says so a lower one.
    func rotation(_ tokens: AxisLength, _ graph: GraphBuilder) -> Rotation {
        let half: [Int?] = [width / 2]
        let frequency = scaling.frequencies(theta: theta, width: width, tokens, graph)
        let positions = graph.unsqueeze(graph.convert(graph.range(tokens), to: "float32"), 1)
        let angles = graph.call(
            "mul.Tensor", ["self": positions.argument, "other": frequency.argument], [tokens.value] + half)
        var both = graph.join(angles, angles, axis: 1)
        if isInterleaved {
            let twice = graph.expand(graph.unsqueeze(angles, 2), [tokens, .known(width / 2), .known(2)])
            both = graph.reshape(twice, [tokens, .known(width)])
        }
        let factor = scaling.attentionFactor
        func scaled(_ value: GraphValue) -> GraphValue {
            factor == 1 ? value : graph.multiply(value, by: .double(factor))
        }
        return Rotation(
            cosine: scaled(graph.map("cos", both)), sine: scaled(graph.map("sin", both)), isInterleaved: isInterleaved)
    }
}

extension GraphBuilder {
    /// Turns the first entries of `heads` [batch, heads, tokens, width].
    func turned(_ heads: GraphValue, _ rotation: Rotary.Rotation) -> GraphValue {
        let (width, turned) = (heads.width ?? 0, rotation.cosine.width ?? 0)
        guard turned < width else { return whole(heads, rotation) }
        return join(
            whole(slice(heads, 3, from: 0, to: turned), rotation), slice(heads, 3, from: turned, to: width), axis: 3)
    }

    private func whole(_ heads: GraphValue, _ rotation: Rotary.Rotation) -> GraphValue {
        let across = rotation.isInterleaved ? neighbours(heads) : halves(heads)
        return add(multiply(heads, rotation.cosine), multiply(across, rotation.sine))
    }

    /// The other entry of each pair i, i + width/2; the second negated.
    private func halves(_ heads: GraphValue) -> GraphValue {
        let width = heads.width ?? 0
        let first = slice(heads, 3, from: 0, to: width / 2)
        let second = slice(heads, 3, from: width / 2, to: width)
        return join(map("neg", second), first, axis: 3)
    }

    /// The other entry of each pair 2i, 2i + 1; the second negated.
    private func neighbours(_ heads: GraphValue) -> GraphValue {
        let width = heads.width ?? 0
        let lengths = (0..<3).map { length(heads, $0) }
        let pairs = reshape(heads, lengths + [.known(width / 2), .known(2)])
        let (first, second) = (slice(pairs, 4, from: 0, to: 1), slice(pairs, 4, from: 1, to: 2))
        return reshape(join(map("neg", second), first, axis: 4), lengths + [.known(width)])
    }
}

extension Rotary {
    /// Reads the angles of a model with heads of `headWidth`. `layerType` selects one of several objects under
    /// `rope_parameters`, as in Gemma 3. `partial`: the share of a head that is turned unless the configuration says
    /// otherwise; nil where the model's code always turns all of it.
    init(
        _ configuration: ModelConfiguration, headWidth: Int, theta standard: Double = 10_000, partial: Double? = nil,
        isInterleaved: Bool = false
    ) throws(ModelFamilyError) {
        let base = try configuration.number("rope_theta", default: standard)
        let parameters = try configuration.nested("rope_parameters")
        // As in transformers, the older key has precedence over the whole of the newer.
        let rope = try configuration.nested("rope_scaling") ?? parameters
        try self.init(rope, in: configuration, headWidth: headWidth, theta: base, partial: partial)
        self.isInterleaved = isInterleaved
    }

    /// The same from the object that holds the parameters, or nil where there is none.
    init(
        _ rope: ModelConfiguration?, in configuration: ModelConfiguration, headWidth: Int, theta base: Double,
        partial: Double? = nil
    ) throws(ModelFamilyError) {
        theta = try rope?.number("rope_theta", default: base) ?? base
        guard theta > 0 else {
            throw configuration.unsupported("rope_theta", "is \(theta); expected a positive number")
        }
        if let partial {
            let outer = try configuration.number("partial_rotary_factor", default: partial)
            let share = try rope?.number("partial_rotary_factor", default: outer) ?? outer
            guard share > 0, share <= 1 else {
                throw configuration.unsupported("partial_rotary_factor", "is \(share); expected a number up to 1")
            }
            width = Int(Double(headWidth) * share)
        } else {
            try configuration.demand("partial_rotary_factor", oneOf: [.integer(1)])
            try rope?.demand("partial_rotary_factor", oneOf: [.integer(1)])
            width = headWidth
        }
        guard (2...headWidth).contains(width), width.isMultiple(of: 2) else {
            throw configuration.unsupported(
                "head_dim", "is \(headWidth), of which \(width) entries would be turned; expected an even number")
        }
        scaling = try RotaryScaling(rope, in: configuration, width: width)
    }
}
