import Adapters
import ModelFamilies
import Safetensors
import WorkerProtocol

/// Names of the files in the folder of a base or of a task.
package enum TaskLayout {
    /// A base's `torch.export` archive.
    package static let graph = BaseGraph.archiveName
    package static let configuration = BaseGraph.configurationName
    package static let weights = Checkpoint.weightsName
    package static let weightsIndex = Checkpoint.indexName
    package static let adapterWeights = Adapter.weightsName
    package static let adapterConfiguration = AdapterConfiguration.fileName
    /// A task's examples: one tensor for each graph input, and `labels`.
    package static let examples = ExampleFiles.tensors
    /// What a task says of itself.
    package static let settings = "task.yaml"

    /// What a base says of itself.
    package static let baseSettings = "base.yaml"

    /// Whether files of these names hold weights, whole or not.
    package static func holdsWeights(_ names: some Sequence<String>) -> Bool {
        names.contains { [weights, weightsIndex, adapterWeights].contains($0) }
    }
}
