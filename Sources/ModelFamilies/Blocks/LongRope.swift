internal import ExportedGraph
internal import Foundation

/// LongRoPE (Ding et al., arXiv 2402.13753): a divisor of its own for each frequency, one set for texts no longer than
/// those of the pretraining and one for longer texts.
struct LongRope {
    let attentionFactor: Double
    private let short: [Double]
    private let long: [Double]
    private let context: Int

    init(_ rope: ModelConfiguration, in configuration: ModelConfiguration, width: Int) throws(ModelFamilyError) {
        context = try rope.originalLength(in: configuration)
        let longest = try configuration.count("max_position_embeddings", default: context)
        short = try rope.numbers("short_factor")
        long = try rope.numbers("long_factor")
        for (key, factors) in [("short_factor", short), ("long_factor", long)] {
            guard factors.count == width / 2, factors.allSatisfy({ $0 > 0 }) else {
                throw rope.unsupported(key, "has \(factors.count) numbers; expected \(width / 2) above 0")
            }
        }
        let factor = try rope.number("factor", default: Double(longest) / Double(context))
        let usual = factor <= 1 ? 1 : (1 + log(factor) / log(Double(context))).squareRoot()
        attentionFactor = try rope.number("attention_factor", default: usual)
    }

    /// `powers`: θ^(2i/width) for each pair i.
    func frequencies(_ powers: GraphValue, _ tokens: AxisLength, _ graph: GraphBuilder) -> GraphValue {
        let (short, long) = (graph.constants(short), graph.constants(long))
        let isLong = graph.call(
            "gt.Scalar", ["self": graph.textLength(tokens).argument, "other": .int(context)], [1], "bool")
        let factors = graph.call(
            "where.self", ["condition": isLong.argument, "self": long.argument, "other": short.argument], long.shape)
        return graph.map("reciprocal", graph.multiply(factors, powers))
    }
}
