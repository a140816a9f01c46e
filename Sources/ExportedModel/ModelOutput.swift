/// What is wanted of a model.
package enum ModelOutput: Hashable, Sendable {
    /// The first output.
    case logits
    /// Embeddings of whole texts, [texts, width], before any head.
    case embeddings
}
