import Adapters
import Files
package import WorkerProtocol

/// A base model that can be merged onto.
package struct AcceptedBase: Hashable, Sendable {
    package var source: BaseSource
    /// Graph parameters that the base lacks: the head. Empty without a graph.
    package var headParameters: [String]
    /// False where there is no `graph.pt2` and none can be built: only static methods can merge.
    package var hasGraph: Bool

    package init(source: BaseSource, headParameters: [String], hasGraph: Bool) {
        self.source = source
        self.headParameters = headParameters
        self.hasGraph = hasGraph
    }
}

/// A task checkpoint that passed admission against the base.
package struct AcceptedTask: Hashable, Sendable {
    package var source: TaskSource
    /// Examples in its validation set; 0 without one.
    package var examples: Int
    /// False where these have no labels: then the task is judged by its agreement with its own checkpoint.
    package var isLabelled: Bool
    /// What its `config.json` calls the classes of a head that is merged; nil where it has a head of its own, or names
    /// none.
    package var sharedLabels: LabelNames?

    package init(
        source: TaskSource, examples: Int, isLabelled: Bool = true, sharedLabels: LabelNames? = nil
    ) {
        self.source = source
        self.examples = examples
        self.isLabelled = isLabelled
        self.sharedLabels = sharedLabels
    }
}

extension TaskSource {
    /// Whether the task is an adapter, and not full weights.
    package var isAdapter: Bool { files.contains { Adapter.fileNames.contains($0.name) } }
}
