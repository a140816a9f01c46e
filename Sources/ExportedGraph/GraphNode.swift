/// One call of an operator.
package struct GraphNode: Hashable, Sendable {
    /// An argument with the name that the operator's schema gives it; empty for higher-order operators.
    package struct Argument: Hashable, Sendable {
        package var name: String
        package var value: GraphArgument

        package init(name: String, value: GraphArgument) {
            self.name = name
            self.value = value
        }
    }

    /// PyTorch's name of the node, unique in its graph.
    package var name: String
    /// `torch.ops.aten.linear.default`, `_operator.mul`, `torch.ops.higher_order.wrap_with_set_grad_enabled`, …
    package var target: String
    package var arguments: [Argument]
    /// Names of the results in order, lists unpacked; nil where nobody uses one.
    package var results: [String?]

    package init(name: String, target: String, arguments: [Argument], results: [String?]) {
        self.name = name
        self.target = target
        self.arguments = arguments
        self.results = results
    }
}

extension GraphNode: Decodable {
    private enum CodingKeys: String, CodingKey {
        case name, target, inputs, outputs
    }

    private struct Input: Decodable {
        var name: String
        var arg: GraphArgument
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        target = try container.decode(String.self, forKey: .target)
        arguments = try container.decode([Input].self, forKey: .inputs).map { Argument(name: $0.name, value: $0.arg) }
        results = try container.decode([GraphArgument].self, forKey: .outputs).flatMap(Self.names)
        let given = try container.decodeIfPresent(String.self, forKey: .name)
        name = given ?? results.compactMap { $0 }.first ?? target
    }

    private static func names(_ output: GraphArgument) -> [String?] {
        switch output {
        case .value(let name): [name]
        case .list(let items): items.flatMap(names)
        default: [nil]
        }
    }
}
