internal import Safetensors
internal import Tasks
internal import Torch

extension TiedNames {
    /// Throws where a checkpoint holds one tensor of the model under two names with different values: only one of them
    /// would be merged. Without a `task` it is the base's fault.
    func check(_ checkpoint: Checkpoint, of task: String? = nil) throws {
        guard let fault = try checkpoint.untied(among: groups) else { return }
        throw AdmissionFault.refused(code: "untied", message: fault).failure(of: task)
    }

    /// One tensor for each key; where a file holds several of a group's names, the key's own.
    func keyed(_ tensors: [String: Tensor]) -> [String: Tensor] {
        var keyed: [String: Tensor] = [:]
        for name in tensors.keys.sorted() {
            let key = key(of: name)
            keyed[key] = tensors[key] ?? tensors[name]
        }
        return keyed
    }
}
