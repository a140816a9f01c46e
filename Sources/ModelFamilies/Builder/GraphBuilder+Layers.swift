internal import ExportedGraph

extension GraphBuilder {
    /// x·Wᵀ + b with the parameters `name.weight` [out, in], or [in, out] where it lies transposed, and `name.bias`
    /// where there is one.
    func linear(
        _ value: GraphValue, _ name: String, _ outputs: Int, hasBias: Bool = true, isHead: Bool = false,
        isTransposed: Bool = false
    ) throws(ModelFamilyError) -> GraphValue {
        let inputs = value.width ?? 0
        let shape = isTransposed ? [inputs, outputs] : [outputs, inputs]
        var weight = try parameter("\(name).weight", shape, isHead: isHead)
        if isTransposed { weight = call("t", ["self": weight.argument], [outputs, inputs]) }
        let bias = hasBias ? try parameter("\(name).bias", [outputs], isHead: isHead) : nil
        return linear(value, weight, bias)
    }

    func linear(_ value: GraphValue, _ weight: GraphValue, _ bias: GraphValue? = nil) -> GraphValue {
        call(
            "linear", ["input": value.argument, "weight": weight.argument, "bias": bias?.argument ?? .none],
            value.shape.dropLast() + [weight.shape[0]])
    }

    /// Rows of a table [rows, width]. The row `padding` gets no gradient.
    func embedding(_ indices: GraphValue, _ table: GraphValue, padding: Int? = nil) -> GraphValue {
        call(
            "embedding",
            ["weight": table.argument, "indices": indices.argument, "padding_idx": .int(padding ?? -1)],
            indices.shape + [table.shape[1]])
    }

    /// x / √(mean(x²) + ε) · weight over the last axis, in float32 (Zhang and Sennrich, arXiv 1910.07467).
    func rmsNorm(_ value: GraphValue, _ name: String, epsilon: Double) throws(ModelFamilyError) -> GraphValue {
        rmsNorm(value, try parameter(name, [value.width ?? 0]), epsilon: epsilon)
    }

    /// Two linear layers with an activation between them, under the names of both.
    func feedForward(
        _ value: GraphValue, _ names: (wide: String, narrow: String), width: Int, _ activation: Activation,
        hasBias: Bool = true
    ) throws(ModelFamilyError) -> GraphValue {
        let inner = apply(activation, try linear(value, names.wide, width, hasBias: hasBias))
        return try linear(inner, names.narrow, value.width ?? 0, hasBias: hasBias)
    }

    /// A feed-forward layer whose activation gates a second product (Shazeer, arXiv 2002.05202).
    func gatedFeedForward(
        _ value: GraphValue, _ names: (gate: String, wide: String, narrow: String), width: Int,
        _ activation: Activation, hasBias: Bool = false
    ) throws(ModelFamilyError) -> GraphValue {
        let gate = apply(activation, try linear(value, names.gate, width, hasBias: hasBias))
        let inner = multiply(gate, try linear(value, names.wide, width, hasBias: hasBias))
        return try linear(inner, names.narrow, value.width ?? 0, hasBias: hasBias)
    }
}
