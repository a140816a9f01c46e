internal import ExportedGraph
internal import Files

/// How the frequencies of rotary positions are lowered for texts longer than those of the pretraining.
enum RotaryScaling {
    case none
    /// Each over a factor (Chen et al., arXiv 2306.15595).
    case linear(factor: Double)
    /// Llama 3.1's: waves that go often into a text of the pretraining stay, those that don't are lowered, and between them is a
    /// smooth passage.
    case banded(Bands)

    struct Bands {
        var factor: Double
        /// How often a wave goes into a text of the pretraining at the least, not to be lowered in full, and not to be lowered at all.
        var low: Double
        var high: Double
        /// Tokens of a text of the pretraining.
        var context: Int
    }

    /// `rope`: the object under `rope_scaling` or `rope_parameters` of the configuration.
    init(_ rope: ModelConfiguration?, in configuration: ModelConfiguration) throws(ModelFamilyError) {
        guard let rope else {
            self = .none
            return
        }
        let key = rope.has("rope_type") ? "rope_type" : "type"
        let type = try rope.text(key, default: "default")
        // Where both stand there, transformers reads the newer key.
        try rope.demand("type", oneOf: [.string(type)])
        try rope.demand("partial_rotary_factor", oneOf: [.integer(1)])
        var inert: Set = ["rope_theta"]
        switch type {
        case "default": self = .none
        case "linear":
            self = .linear(factor: try Self.positive("factor", of: rope))
            inert.insert("original_max_position_embeddings")
        case "llama3": self = .banded(try Self.bands(rope, in: configuration))
        default: throw rope.unsupported(key, "is \"\(shown(type))\", which is not built here")
        }
        try rope.checkRest(inert: inert)
    }

    private static func bands(
        _ rope: ModelConfiguration, in configuration: ModelConfiguration
    ) throws(ModelFamilyError) -> Bands {
        let place = "original_max_position_embeddings"
        let longest = try configuration.count("max_position_embeddings", default: 2048)
        let given = try rope.count(place, default: longest)
        let bands = Bands(
            factor: try positive("factor", of: rope), low: try positive("low_freq_factor", of: rope),
            high: try positive("high_freq_factor", of: rope), context: try configuration.count(place, default: given))
        guard bands.high > bands.low else {
            throw rope.unsupported(
                "high_freq_factor", "is \(bands.high), which is not above `low_freq_factor`, \(bands.low)")
        }
        return bands
    }

    private static func positive(_ key: String, of rope: ModelConfiguration) throws(ModelFamilyError) -> Double {
        guard rope.has(key) else { throw rope.unsupported(key, "is missing, and nothing stands in for it") }
        let number = try rope.number(key, default: 1)
        guard number > 0 else { throw rope.unsupported(key, "is \(number), and only what is above 0 scales anything") }
        return number
    }

    /// The frequencies [width/2] that positions are multiplied with, in float32 and in transformers' order of operations.
    func apply(to frequency: GraphValue, _ draft: GraphBuilder) -> GraphValue {
        switch self {
        case .none: frequency
        case .linear(let factor): draft.divide(frequency, by: .double(factor))
        case .banded(let bands): bands.apply(to: frequency, draft)
        }
    }
}

extension RotaryScaling.Bands {
    fileprivate func apply(to frequency: GraphValue, _ draft: GraphBuilder) -> GraphValue {
        let wavelength = draft.multiply(draft.map("reciprocal", frequency), by: .double(2 * Double.pi))
        func choose(_ target: String, _ limit: Double, _ first: GraphValue, _ second: GraphValue) -> GraphValue {
            let isChosen = draft.call(
                target, ["self": wavelength.argument, "other": .double(limit)], frequency.shape, "bool")
            return draft.call(
                "where.self",
                ["condition": isChosen.argument, "self": first.argument, "other": second.argument], frequency.shape)
        }
        let lowered = draft.divide(frequency, by: .double(factor))
        let times = draft.multiply(draft.map("reciprocal", wavelength), by: .int(context))
        let share = draft.divide(draft.add(times, .double(-low)), by: .double(high - low))
        let rest = draft.add(draft.map("neg", share), .int(1))
        let between = draft.add(
            draft.divide(draft.multiply(rest, frequency), by: .double(factor)), draft.multiply(share, frequency))
        let fast = choose("lt.Scalar", Double(context) / high, frequency, between)
        return choose("gt.Scalar", Double(context) / low, lowered, fast)
    }
}
