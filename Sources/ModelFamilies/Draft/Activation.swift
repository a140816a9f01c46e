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

    private static let names: [String: Activation] = [
        "gelu": .gelu, "gelu_python": .gelu, "gelu_new": .tanhGelu, "gelu_fast": .tanhGelu,
        "gelu_accurate": .tanhGelu,
        "gelu_pytorch_tanh": .tanhGelu, "gelu_python_tanh": .tanhGelu, "quick_gelu": .quickGelu, "relu": .relu,
        "silu": .silu, "swish": .silu, "tanh": .tanh,
    ]

    /// The function that transformers calls so; nil where it is not built here.
    static func named(_ name: String) -> Activation? { names[name] }
}

extension ModelConfiguration {
    /// The activation under a key.
    func activation(_ key: String, default standard: String) throws(ModelFamilyError) -> Activation {
        let name = try text(key, default: standard)
        guard let activation = Activation.named(name) else {
            throw unsupported(key, "is \"\(shown(name))\", an activation that is not built here")
        }
        return activation
    }
}

extension GraphBuilder {
    func apply(_ activation: Activation, _ value: GraphValue) -> GraphValue {
        switch activation {
        case .gelu: map("gelu", value)
        case .tanhGelu:
            call("gelu", ["self": value.argument, "approximate": .string("tanh")], value.shape, value.dtype)
        case .quickGelu: multiply(value, map("sigmoid", multiply(value, by: .double(1.702))))
        case .relu: map("relu", value)
        case .silu: map("silu", value)
        case .tanh: map("tanh", value)
        }
    }
}
