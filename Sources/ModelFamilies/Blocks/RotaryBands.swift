internal import ExportedGraph

/// Llama 3.1's scaling: waves that fit often into a text of the pretraining stay, those that don't are lowered, and
/// between them is a smooth transition.
struct RotaryBands {
    var factor: Double
    /// A wave that fits less often into a text of the pretraining is lowered in full, one that fits more often than
    /// `high` stays.
    var low: Double
    var high: Double
    /// Tokens of a text of the pretraining.
    var context: Int

    init(_ rope: ModelConfiguration, in configuration: ModelConfiguration) throws(ModelFamilyError) {
        factor = try rope.positive("factor")
        low = try rope.positive("low_freq_factor")
        high = try rope.positive("high_freq_factor")
        context = try rope.originalLength(in: configuration)
        guard high > low else {
            throw rope.unsupported("high_freq_factor", "is \(high), which is not above `low_freq_factor`, \(low)")
        }
    }

    func apply(to frequency: GraphValue, _ graph: GraphBuilder) -> GraphValue {
        let wavelength = graph.multiply(graph.map("reciprocal", frequency), by: .double(2 * Double.pi))
        func choose(_ target: String, _ limit: Double, _ first: GraphValue, _ second: GraphValue) -> GraphValue {
            let isChosen = graph.call(
                target, ["self": wavelength.argument, "other": .double(limit)], frequency.shape, "bool")
            return graph.call(
                "where.self",
                ["condition": isChosen.argument, "self": first.argument, "other": second.argument], frequency.shape)
        }
        let lowered = graph.divide(frequency, by: .double(factor))
        let times = graph.multiply(graph.map("reciprocal", wavelength), by: .int(context))
        let share = graph.divide(graph.add(times, .double(-low)), by: .double(high - low))
        let rest = graph.add(graph.map("neg", share), .int(1))
        let between = graph.add(
            graph.divide(graph.multiply(rest, frequency), by: .double(factor)), graph.multiply(share, frequency))
        let fast = choose("lt.Scalar", Double(context) / high, frequency, between)
        return choose("gt.Scalar", Double(context) / low, lowered, fast)
    }
}
