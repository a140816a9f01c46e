package import ExportedGraph
package import WorkerProtocol

extension GraphSignature {
    /// Whether a task of this objective does without the graph's head: its texts' embeddings come before it.
    package func needsNoHead(_ objective: TaskSettings.Objective) -> Bool {
        objective == .similarity && embedding == .output
    }

    /// Why the graph gives no embeddings of texts; nil where it does.
    var embeddingFault: String? {
        switch embedding {
        case .output: return nil
        case .unsupported(let reason): return reason
        case nil:
            return output.isEmpty || output.count == 2 ? nil : "the base's graph gives \(output.count) axes"
        }
    }
}
