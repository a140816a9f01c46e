/// The graph file of an archive, as far as running it needs.
struct SerializedModel: Decodable {
    /// The major version of PyTorch's schema that this understands; minor ones only add.
    static let understood = 8

    let version: Int
    let inputs: [GraphInput]
    let outputs: [GraphOutput]
    let body: GraphBlock

    private enum CodingKeys: String, CodingKey {
        case version = "schema_version"
        case module = "graph_module"
    }

    private struct Version: Decodable {
        var major: Int
    }

    private struct Module: Decodable {
        var graph: GraphBlock
        var signature: Signature
    }

    private struct Signature: Decodable {
        var inputs: [GraphInput]
        var outputs: [GraphOutput]

        private enum CodingKeys: String, CodingKey {
            case inputs = "input_specs"
            case outputs = "output_specs"
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        version = try container.decode(Version.self, forKey: .version).major
        let module = try container.decode(Module.self, forKey: .module)
        inputs = module.signature.inputs
        outputs = module.signature.outputs
        body = module.graph
    }
}
