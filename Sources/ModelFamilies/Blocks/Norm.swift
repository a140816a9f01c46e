internal import ExportedGraph

/// A normalisation over the last axis.
struct Norm {
    enum Kind {
        /// (x − mean) / √(variance + ε) (Ba et al., arXiv 1607.06450).
        case layer
        /// x / √(mean(x²) + ε) (Zhang and Sennrich, arXiv 1910.07467).
        case rms
    }

    var kind: Kind
    var epsilon: Double
    var hasWeight = true
    var hasBias = false
    /// The files hold the weight minus 1, as in Gemma and Nemotron.
    var addsOne = false

    static func rms(_ epsilon: Double, addsOne: Bool = false) -> Norm {
        Norm(kind: .rms, epsilon: epsilon, addsOne: addsOne)
    }

    static func layer(_ epsilon: Double, hasBias: Bool = true) -> Norm {
        Norm(kind: .layer, epsilon: epsilon, hasBias: hasBias)
    }
}

extension GraphBuilder {
    /// The norm with the parameters `name.weight` and `name.bias` [width], where it has them.
    func norm(
        _ value: GraphValue, _ name: String, _ norm: Norm, isHead: Bool = false
    ) throws(ModelFamilyError) -> GraphValue {
        let width = value.width ?? 0
        var weight = norm.hasWeight ? try parameter("\(name).weight", [width], isHead: isHead) : nil
        if norm.addsOne { weight = weight.map { add($0, .double(1)) } }
        switch norm.kind {
        case .rms: return rmsNorm(value, weight, epsilon: norm.epsilon)
        case .layer:
            let bias = norm.hasBias ? try parameter("\(name).bias", [width], isHead: isHead) : nil
            return layerNorm(value, weight, bias, epsilon: norm.epsilon)
        }
    }

    func layerNorm(_ value: GraphValue, _ weight: GraphValue?, _ bias: GraphValue?, epsilon: Double) -> GraphValue {
        call(
            "layer_norm",
            [
                "input": value.argument, "normalized_shape": .list([.int(value.width ?? 0)]),
                "weight": weight?.argument ?? .none, "bias": bias?.argument ?? .none, "eps": .double(epsilon),
                "cudnn_enable": .bool(false),
            ], value.shape)
    }

    /// The RMS norm in float32; nil leaves the weight out.
    func rmsNorm(_ value: GraphValue, _ weight: GraphValue?, epsilon: Double) -> GraphValue {
        let wide = convert(value, to: "float32")
        let square = call("pow.Tensor_Scalar", ["self": wide.argument, "exponent": .int(2)], wide.shape)
        let mean = call(
            "mean.dim", ["self": square.argument, "dim": .list([.int(-1)]), "keepdim": .bool(true)],
            wide.shape.dropLast() + [1])
        let normed = multiply(wide, map("rsqrt", add(mean, .double(epsilon))))
        return weight.map { multiply(normed, $0) } ?? normed
    }
}
