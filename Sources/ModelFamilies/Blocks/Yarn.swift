internal import ExportedGraph
internal import Foundation

/// YaRN (Peng et al., arXiv 2309.00071): low frequencies are divided by a factor, high ones stay, and those between are
/// a mixture.
struct Yarn {
    let factor: Double
    let attentionFactor: Double
    /// Tokens of a text of the pretraining.
    let context: Int
    /// The scale of the scores where the model's own code asks for one (DeepSeek): mscale² over all entries.
    let scoreScale: Double
    /// Ministral's growth of the queries beyond the context; nil where there is none.
    let queryGrowth: Double?
    private let fast: Double
    private let slow: Double
    private let truncates: Bool

    init(_ rope: ModelConfiguration, in configuration: ModelConfiguration) throws(ModelFamilyError) {
        context = try rope.originalLength(in: configuration)
        let longest = try configuration.count("max_position_embeddings", default: context)
        // DeepSeek leaves the factor to the ratio of both lengths.
        factor =
            rope.has("factor") || longest == context ? try rope.positive("factor") : Double(longest) / Double(context)
        let scale = try rope.number("mscale", default: 0)
        let scaleOfAll = try rope.number("mscale_all_dim", default: 0)
        let usual =
            scale != 0 && scaleOfAll != 0
            ? Self.magnitude(factor, scale) / Self.magnitude(factor, scaleOfAll) : Self.magnitude(factor, 1)
        attentionFactor = try rope.number("attention_factor", default: usual)
        scoreScale = scaleOfAll == 0 ? 1 : pow(Self.magnitude(factor, scaleOfAll), 2)
        let given = try rope.number("beta_fast", default: 32)
        fast = given == 0 ? 32 : given
        let low = try rope.number("beta_slow", default: 1)
        slow = low == 0 ? 1 : low
        truncates = try rope.flag("truncate", default: true)
        queryGrowth = rope.has("llama_4_scaling_beta") ? try rope.number("llama_4_scaling_beta", default: 0) : nil
        try rope.demand("max_position_embeddings", oneOf: [.integer(longest)])
    }

    private static func magnitude(_ factor: Double, _ scale: Double) -> Double {
        factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
    }

    /// `powers`: θ^(2i/width) for each pair i.
    func frequencies(_ powers: GraphValue, theta: Double, width: Int, _ graph: GraphBuilder) -> GraphValue {
        func pair(_ rotations: Double) -> Double {
            Double(width) * log(Double(context) / (rotations * 2 * Double.pi)) / (2 * log(theta))
        }
        var (low, high) = (pair(fast), pair(slow))
        if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, Double(width - 1)))
        if low == high { high += 0.001 }
        let pairs = graph.convert(graph.range(.known(width / 2)), to: "float32")
        let line = graph.divide(graph.add(pairs, .double(-low)), by: .double(high - low))
        let ramp = graph.call("clamp", ["self": line.argument, "min": .int(0), "max": .int(1)], line.shape)
        let kept = graph.add(graph.map("neg", ramp), .int(1))
        let lowered = graph.map("reciprocal", graph.multiply(powers, by: .double(factor)))
        let rest = graph.add(graph.map("neg", kept), .int(1))
        return graph.add(
            graph.multiply(lowered, rest), graph.multiply(graph.map("reciprocal", powers), kept))
    }
}
