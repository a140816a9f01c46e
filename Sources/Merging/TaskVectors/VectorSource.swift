internal import Adapters
internal import Safetensors

/// Where a τ comes from: a task's checkpoint or adapter, or a model that some of them were merged to.
protocol VectorSource {
    var name: String { get }
    /// What is there whole, by the base's names.
    var checkpoint: Checkpoint { get }
    /// Where τ has a structure: then it moves what this says, and nothing else.
    var adapter: Adapter? { get }
    /// Whether a tensor of the base is this source's own business, so that it moves nothing there.
    func owns(_ name: String) -> Bool
}

extension VectorSource {
    var adapter: Adapter? { nil }

    /// Whether it may move the tensor.
    func moves(_ name: String) -> Bool { !owns(name) && (adapter.map { $0.updates[name] != nil } ?? true) }

    /// Whether it holds the tensor whole.
    func replaces(_ name: String) -> Bool { adapter.map { $0.updates[name]?.isReplaced == true } ?? true }
}

extension TaskModel: VectorSource {}
