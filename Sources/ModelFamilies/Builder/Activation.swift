internal import ExportedGraph
internal import Files

/// An activation function by what it computes; transformers has several names for some.
enum Activation {
    /// x·Φ(x) (Hendrycks and Gimpel, arXiv 1606.08415), and its form with tanh.
    case gelu, tanhGelu
    /// x·σ(1.702 x).
    case quickGelu
    case relu
    /// x·σ(x).
    case silu
    case tanh
    /// relu(x)² (So et al., arXiv 2109.08668).
    case squaredRelu
    /// Apertus' with two trained numbers (Huang and Schlag, arXiv 2411.13010), under `act_fn` beside the layer before
    /// it.
    case xielu

    private static let names: [String: Activation] = [
        "gelu": .gelu, "gelu_python": .gelu, "gelu_new": .tanhGelu, "gelu_fast": .tanhGelu,
        "gelu_accurate": .tanhGelu,
        "gelu_pytorch_tanh": .tanhGelu, "gelu_python_tanh": .tanhGelu, "quick_gelu": .quickGelu, "relu": .relu,
        "silu": .silu, "relu2": .squaredRelu, "xielu": .xielu, "swish": .silu, "tanh": .tanh,
    ]

    /// The function that transformers calls so; nil where it is not built here.
    static func named(_ name: String) -> Activation? { names[name] }
}

extension ModelConfiguration {
    /// The activation under a key.
    func activation(_ key: String, default standard: String) throws(ModelFamilyError) -> Activation {
        let name = try text(key, default: standard)
        // Only a family whose layers have its parameters has xIELU.
        guard let activation = Activation.named(name), name != "xielu" || standard == name else {
            throw unsupported(key, "is \"\(shown(name))\", an activation that is not built here")
        }
        return activation
    }
}

extension GraphBuilder {
    /// An activation without parameters.
    func apply(_ activation: Activation, _ value: GraphValue) -> GraphValue {
        switch activation {
        case .gelu: return map("gelu", value)
        case .tanhGelu:
            return call("gelu", ["self": value.argument, "approximate": .string("tanh")], value.shape, value.dtype)
        case .quickGelu: return multiply(value, map("sigmoid", multiply(value, by: .double(1.702))))
        case .relu: return map("relu", value)
        case .silu: return map("silu", value)
        case .tanh: return map("tanh", value)
        case .squaredRelu:
            let positive = map("relu", value)
            return multiply(positive, positive)
        case .xielu: return value
        }
    }

    /// An activation of the output of the linear layer `name`, beside which its parameters are.
    func apply(
        _ activation: Activation, _ value: GraphValue, _ name: String
    ) throws(ModelFamilyError) -> GraphValue {
        guard case .xielu = activation else { return apply(activation, value) }
        let module = name.split(separator: ".").dropLast().joined(separator: ".") + ".act_fn"
        let (beta, limit) = (0.5, -1e-6)
        let above = map("softplus", try parameter("\(module).alpha_p", [1]))
        let below = add(map("softplus", try parameter("\(module).alpha_n", [1])), .double(beta))
        let linear = multiply(value, by: .double(beta))
        let positive = add(multiply(multiply(value, value), above), linear)
        let clamped = call("clamp", ["self": value.argument, "max": .double(limit)], value.shape)
        let negative = add(multiply(subtract(map("expm1", clamped), value), below), linear)
        let isPositive = call("gt.Scalar", ["self": value.argument, "other": .int(0)], value.shape, "bool")
        return call(
            "where.self",
            ["condition": isPositive.argument, "self": positive.argument, "other": negative.argument], value.shape)
    }
}
