package import ExportedGraph
package import WorkerProtocol

/// What the files of a base say beside its weights, read once for each content and handed on.
package struct BaseDescription: Hashable, Sendable {
    /// Of the base's graph; nil where it has none and the method does without.
    package let signature: GraphSignature?
    /// Names that mean one tensor each, in groups: by the graph, or without one by `config.json`.
    package let ties: [[String]]
    /// What a decoder starts from; nil where no configuration says it.
    package let decoderStart: DecoderStart?
    /// What `config.json` calls the classes of the base's own head; nil where it names none.
    package let labels: LabelNames?
    /// The head of the graph, where it is the tasks' and not the base's own: the end of a class's name.
    package let head: String?

    package init(
        signature: GraphSignature?, ties: [[String]], decoderStart: DecoderStart? = nil, labels: LabelNames? = nil,
        head: String? = nil
    ) {
        self.signature = signature
        self.ties = ties
        self.decoderStart = decoderStart
        self.labels = labels
        self.head = head
    }
}
