/// Why a graph can't be run on this libtorch, or not with what it was given.
package enum ExportedModelError: Error, Hashable, Sendable {
    /// Found before anything runs: the operator as the archive names it, and the node that calls it.
    case unsupported(operator: String, node: String)
    /// Found before anything runs: an operator that does more than compute.
    case forbidden(operator: String, node: String)
    /// The graph refers to something that it does not define.
    case malformed(node: String, reason: String)
    case missingParameter(String)
    case missingBuffer(String)
    case missingInput(String)
    /// An input whose axes are not those of the graph; nil where any length will do.
    case shape(input: String, given: [Int], expected: [Int?])
    case dtype(name: String, given: String, expected: String)
}

extension ExportedModelError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupported(let op, let node) where op.contains("complex"):
            "operator \(op) of node '\(node)' computes with complex numbers, which is not supported: export the model "
                + "with rotary positions as pairs of real numbers, or let its graph be built from config.json "
                + "(docs/families.md)"
        case .unsupported(let op, let node):
            "operator \(op) of node '\(node)' can't be run by this libtorch: use a newer one (LIBTORCH_ROOT) or export "
                + "the model in another way"
        case .forbidden(let op, let node) where op.hasPrefix("torch.ops.transformers."):
            "operator \(op) of node '\(node)' is transformers' own, and no libtorch has it: export the model again "
                + "with Tools/export_model.py, which sets experts_implementation to batched_mm"
        case .forbidden(let op, let node):
            "operator \(op) of node '\(node)' reaches beyond the model's own tensors and is never run; export the "
                + "model from a source that you trust"
        case .malformed(let node, let reason): "node '\(node)' of the graph is malformed: \(reason); export it again"
        case .missingParameter(let name): "the checkpoint has no parameter '\(name)', which the graph needs"
        case .missingBuffer(let name):
            "neither the archive nor the checkpoint has buffer '\(name)', which the graph needs; export it again"
        case .missingInput(let name): "the data have no tensor '\(name)', which the graph needs as input"
        case .shape(let input, let given, let expected):
            "input '\(input)' has shape \(given) where the graph takes "
                + "[\(expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", "))]"
        case .dtype(let name, let given, let expected):
            "'\(name)' is \(given) where the graph takes \(expected)"
        }
    }
}
