/// A decoded `torch.export` archive: pure data, no libtorch, so that the daemon can check a base without it.
package struct ExportedGraph: Sendable {
    package let signature: GraphSignature

    /// Reads the archive (a zip of stored entries): graph, signature, constants and weights' places. Bounded memory.
    package init(archive path: String) throws(GraphError) { fatalError() }
}
