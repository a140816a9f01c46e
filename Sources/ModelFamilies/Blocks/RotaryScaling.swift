internal import ExportedGraph
internal import Files
internal import Foundation

/// How the frequencies of rotary positions are changed for texts longer than those of the pretraining.
enum RotaryScaling {
    case none
    /// Each divided by a factor (Chen et al., arXiv 2306.15595).
    case linear(factor: Double)
    /// θ grows with the length of a text that is longer than `maximum` ("dynamic NTK").
    case dynamic(factor: Double, maximum: Int)
    /// θ multiplied with α^(width/(width − 2)), as in HunYuan.
    case enlarged(alpha: Double)
    /// Llama 3.1's.
    case banded(RotaryBands)
    case yarn(Yarn)
    case long(LongRope)

    /// `rope`: the object under `rope_scaling` or `rope_parameters` of the configuration. `width`: entries that are
    /// turned.
    init(
        _ rope: ModelConfiguration?, in configuration: ModelConfiguration, width: Int
    ) throws(ModelFamilyError) {
        guard let rope else {
            self = .none
            return
        }
        let key = rope.has("rope_type") ? "rope_type" : "type"
        let type = try rope.text(key, default: "default")
        // Where both are given, transformers reads the newer key.
        try rope.demand("type", oneOf: [.string(type)])
        var inert: Set = ["rope_theta", "partial_rotary_factor"]
        let original = "original_max_position_embeddings"
        switch type {
        case "default", "mrope":
            self = .none
            // Of a text the positions along all axes are the same.
            inert.formUnion(["mrope_section", "mrope_interleaved"])
        case "linear":
            self = .linear(factor: try rope.positive("factor"))
            inert.insert(original)
        case "dynamic":
            guard width > 2 else { throw rope.unsupported(key, "is dynamic, and heads have \(width) entries to turn") }
            let maximum = try configuration.count("max_position_embeddings", default: 2048)
            let factor = try rope.positive("factor")
            if rope.has("alpha") {
                self = .enlarged(alpha: try rope.positive("alpha"))
                inert.formUnion(["beta_fast", "beta_slow", "mscale", "mscale_all_dim"])
            } else {
                self = .dynamic(factor: factor, maximum: maximum)
            }
            inert.insert(original)
        case "llama3": self = .banded(try RotaryBands(rope, in: configuration))
        case "yarn": self = .yarn(try Yarn(rope, in: configuration))
        case "longrope", "su": self = .long(try LongRope(rope, in: configuration, width: width))
        default: throw rope.unsupported(key, "is \"\(shown(type))\", which is not built here")
        }
        try rope.checkRest(inert: inert)
    }

    /// Factor of the cosines and sines.
    var attentionFactor: Double {
        switch self {
        case .none, .linear, .dynamic, .enlarged, .banded: 1
        case .yarn(let yarn): yarn.attentionFactor
        case .long(let long): long.attentionFactor
        }
    }

    /// The frequencies [width/2] that positions are multiplied with, in float32 and in transformers' order of
    /// operations.
    func frequencies(theta: Double, width: Int, _ tokens: AxisLength, _ graph: GraphBuilder) -> GraphValue {
        let half: [Int?] = [width / 2]
        let even = graph.call(
            "arange.start_step",
            [
                "start": .int(0), "end": .int(width), "step": .int(2), "dtype": .dtype("float32"),
                "device": .device("cpu"),
            ], half)
        let exponent = graph.divide(even, by: .int(width))
        func power(_ base: Double) -> GraphValue {
            graph.call("pow.Scalar", ["self": .double(base), "exponent": exponent.argument], half)
        }
        let exponentOfTheta = Double(width) / Double(width - 2)
        switch self {
        case .none: return graph.map("reciprocal", power(theta))
        case .linear(let factor): return graph.divide(graph.map("reciprocal", power(theta)), by: .double(factor))
        case .enlarged(let alpha): return graph.map("reciprocal", power(theta * pow(alpha, exponentOfTheta)))
        case .banded(let bands): return bands.apply(to: graph.map("reciprocal", power(theta)), graph)
        case .yarn(let yarn): return yarn.frequencies(power(theta), theta: theta, width: width, graph)
        case .long(let long): return long.frequencies(power(theta), tokens, graph)
        case .dynamic(let factor, let maximum):
            let length = graph.textLength(tokens)
            let longest = graph.call("clamp", ["self": length.argument, "min": .int(maximum)], [1])
            let share = graph.divide(graph.multiply(longest, by: .double(factor)), by: .int(maximum))
            let growth = graph.call(
                "pow.Tensor_Scalar",
                ["self": graph.add(share, .double(1 - factor)).argument, "exponent": .double(exponentOfTheta)], [1])
            let base = graph.multiply(growth, by: .double(theta))
            let powers = graph.call(
                "pow.Tensor_Tensor", ["self": base.argument, "exponent": exponent.argument], half)
            return graph.map("reciprocal", powers)
        }
    }
}

extension ModelConfiguration {
    /// A number above 0 that must be given.
    func positive(_ key: String) throws(ModelFamilyError) -> Double {
        guard has(key) else { throw unsupported(key, "is missing, and it has no default") }
        let number = try number(key, default: 1)
        guard number > 0 else { throw unsupported(key, "is \(number); expected a positive number") }
        return number
    }

    /// Tokens of a text of the pretraining: as transformers reads it, the key of the whole configuration has
    /// precedence.
    func originalLength(in configuration: ModelConfiguration) throws(ModelFamilyError) -> Int {
        let key = "original_max_position_embeddings"
        let longest = try configuration.count("max_position_embeddings", default: 2048)
        let given = try count(key, default: longest)
        return try configuration.count(key, default: given)
    }
}

extension GraphBuilder {
    /// The number of tokens of a text, as a tensor [1] of float32.
    func textLength(_ tokens: AxisLength) -> GraphValue {
        let positions = convert(range(tokens), to: "float32")
        let last = call(
            "amax", ["self": positions.argument, "dim": .list([.int(0)]), "keepdim": .bool(true)], [1])
        return add(last, .int(1))
    }
}
