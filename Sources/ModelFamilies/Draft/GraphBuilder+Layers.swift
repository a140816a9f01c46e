internal import ExportedGraph

extension GraphBuilder {
    /// x·Wᵀ + b with the parameters `name.weight` [out, in] and, where there is one, `name.bias`.
    func linear(
        _ value: GraphValue, _ name: String, _ outputs: Int, hasBias: Bool = true, isHead: Bool = false
    ) throws(ModelFamilyError) -> GraphValue {
        let weight = try parameter("\(name).weight", [outputs, value.width ?? 0], isHead: isHead)
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

    /// (x − mean) / √(variance + ε) · weight + bias over the last axis (Ba et al., arXiv 1607.06450).
    func layerNorm(_ value: GraphValue, _ name: String, epsilon: Double) throws(ModelFamilyError) -> GraphValue {
        let width = value.width ?? 0
        let weight = try parameter("\(name).weight", [width])
        let bias = try parameter("\(name).bias", [width])
        return call(
            "layer_norm",
            [
                "input": value.argument, "normalized_shape": .list([.int(width)]), "weight": weight.argument,
                "bias": bias.argument, "eps": .double(epsilon), "cudnn_enable": .bool(false),
            ], value.shape)
    }

    /// x / √(mean(x²) + ε) · weight over the last axis, in float32 (Zhang and Sennrich, arXiv 1910.07467).
    func rmsNorm(_ value: GraphValue, _ name: String, epsilon: Double) throws(ModelFamilyError) -> GraphValue {
        let weight = try parameter(name, [value.width ?? 0])
        let wide = convert(value, to: "float32")
        let square = call("pow.Tensor_Scalar", ["self": wide.argument, "exponent": .int(2)], wide.shape)
        let mean = call(
            "mean.dim", ["self": square.argument, "dim": .list([.int(-1)]), "keepdim": .bool(true)],
            wide.shape.dropLast() + [1])
        let factor = map("rsqrt", add(mean, .double(epsilon)))
        return multiply(multiply(wide, factor), weight)
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
