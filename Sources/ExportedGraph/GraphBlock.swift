import FoundationEssentials

/// A graph, or the body of a higher-order operator: nodes in the order in which they run.
package struct GraphBlock: Hashable, Sendable {
    package var inputs: [GraphArgument]
    package var outputs: [GraphArgument]
    package var nodes: [GraphNode]
    package var tensors: [String: TensorMeta]

    package init(
        inputs: [GraphArgument], outputs: [GraphArgument], nodes: [GraphNode], tensors: [String: TensorMeta]
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = nodes
        self.tensors = tensors
    }
}

extension GraphBlock: Decodable {
    private enum CodingKeys: String, CodingKey {
        case inputs, outputs, nodes, tensors = "tensor_values"
    }

    /// Bodies within bodies; exports nest two or three deep.
    private static let depthLimit = 64

    package init(from decoder: any Decoder) throws {
        guard decoder.codingPath.count < Self.depthLimit else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "graphs are nested too deep"))
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        inputs = try container.decode([GraphArgument].self, forKey: .inputs)
        outputs = try container.decode([GraphArgument].self, forKey: .outputs)
        nodes = try container.decode([GraphNode].self, forKey: .nodes)
        tensors = try container.decode([String: TensorMeta].self, forKey: .tensors)
    }
}
