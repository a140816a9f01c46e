internal import Safetensors

/// An intermediate model as a source of task vectors: it moves the layers that its file holds.
struct NodeModel: VectorSource {
    let name: String
    let checkpoint: Checkpoint

    func owns(_ name: String) -> Bool { checkpoint.entry(name) == nil }
}
