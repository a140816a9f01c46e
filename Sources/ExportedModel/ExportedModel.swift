package import ExportedGraph
package import Torch

/// A graph that has been checked against this libtorch and can be run.
package final class ExportedModel {
    package let signature: GraphSignature

    /// Resolves every operator now; throws `ExportedModelError.unsupported` with the operator's and the node's name.
    package init(_ graph: ExportedGraph) throws { fatalError() }

    /// Runs the graph. `parameters` holds every parameter (tied ones under any of their names) and may override buffers;
    /// integer inputs are widened, floating-point inputs converted to the graph's type. Returns the first output (logits).
    package func forward(inputs: [String: Tensor], parameters: [String: Tensor]) throws -> Tensor { fatalError() }

    /// The archive's own weight, where it has one.
    package func ownWeight(_ name: String) throws -> Tensor? { fatalError() }
}
