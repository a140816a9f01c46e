/// What the caller of a graph puts into one of its inputs.
package struct GraphInput: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case parameter, buffer, constant, user
    }

    package var kind: Kind
    /// State-dict name for parameters, buffers and constants, argument name for what the user gives.
    package var name: String
    /// The name by which the nodes refer to it; nil for an input that is a constant of the export.
    package var value: String?
    package var rule: InputRule

    package init(kind: Kind, name: String, value: String?, rule: InputRule = InputRule()) {
        self.kind = kind
        self.name = name
        self.value = value
        self.rule = rule
    }
}

extension GraphInput: Decodable {
    private enum CodingKeys: String, CodingKey {
        case arg, name
        case parameter = "parameter_name"
        case buffer = "buffer_name"
        case constant = "tensor_constant_name"
    }

    private struct Argument: Decodable {
        var name: String
    }

    private struct User: Decodable {
        var arg: GraphArgument
    }

    private struct Specification: Decodable {
        var input: GraphInput

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let argument = try container.decode(Argument.self, forKey: .arg)
            for (key, kind) in [(CodingKeys.parameter, Kind.parameter), (.buffer, .buffer), (.constant, .constant)] {
                guard let name = try container.decodeIfPresent(String.self, forKey: key) else { continue }
                input = GraphInput(kind: kind, name: name, value: argument.name)
                return
            }
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "an input without a name"))
        }
    }

    private struct Constant: Decodable {
        var name: String
    }

    package init(from decoder: any Decoder) throws {
        let union = try Union(decoder)
        switch union.kind {
        case "parameter", "buffer", "tensor_constant": self = try union.decode(Specification.self).input
        case "constant_input":
            self.init(kind: .user, name: try union.decode(Constant.self).name, value: nil)
        case "user_input":
            switch try union.decode(User.self).arg {
            case .value(let name): self.init(kind: .user, name: name, value: name)
            default: self.init(kind: .user, name: "", value: nil)
            }
        default: throw Unsupported(kind: "an input of kind '\(union.kind)'")
        }
    }

    /// Something that PyTorch can export and nothing here can run.
    struct Unsupported: Error {
        var kind: String
    }
}
