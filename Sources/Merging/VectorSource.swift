internal import Safetensors

/// Where a τ comes from: a task's checkpoint, or a model that some of them were merged to.
protocol VectorSource {
    var name: String { get }
    var checkpoint: Checkpoint { get }
    /// Whether a tensor of the base is this source's own business, so that it moves nothing there.
    func owns(_ name: String) -> Bool
}

extension TaskModel: VectorSource {}
