internal import ExportedGraph

/// The feed-forward part of a layer.
struct FeedForward {
    enum Form {
        /// down(act(up(x))).
        case plain
        /// down(act(gate(x)) · up(x)) (Shazeer, arXiv 2002.05202).
        case gated
        /// The same with gate and up as the halves of one matrix, under the name of `up`.
        case joined
    }

    var form: Form
    var inner: Int
    var activation: Activation
    var gate = "mlp.gate_proj"
    var up = "mlp.up_proj"
    var down = "mlp.down_proj"
    var hasBias = false
    /// Matrices lie as [in, out].
    var isTransposed = false
    /// The half of a joined matrix that the activation is applied to.
    var gateIsSecond = false
    /// A norm of what goes into `down`.
    var innerNorm: (name: String, norm: Norm)?

    /// The part's output [batch, tokens, width]; `layer` is the beginning of the names.
    func output(
        _ hidden: GraphValue, _ layer: String, _ graph: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        func linear(_ value: GraphValue, _ name: String, _ outputs: Int) throws(ModelFamilyError) -> GraphValue {
            try graph.linear(value, layer + name, outputs, hasBias: hasBias, isTransposed: isTransposed)
        }
        var wide: GraphValue
        switch form {
        case .plain:
            wide = try graph.apply(activation, linear(hidden, up, inner), layer + up)
        case .gated:
            let gated = try graph.apply(activation, linear(hidden, gate, inner), layer + gate)
            wide = graph.multiply(gated, try linear(hidden, up, inner))
        case .joined:
            let both = try linear(hidden, up, 2 * inner)
            let axis = both.shape.count - 1
            let halves = [
                graph.slice(both, axis, from: 0, to: inner), graph.slice(both, axis, from: inner, to: 2 * inner),
            ]
            let (gated, plain) = gateIsSecond ? (halves[1], halves[0]) : (halves[0], halves[1])
            wide = graph.multiply(try graph.apply(activation, gated, layer + up), plain)
        }
        if let innerNorm { wide = try graph.norm(wide, layer + innerNorm.name, innerNorm.norm) }
        return try linear(wide, down, hidden.width ?? 0)
    }
}
