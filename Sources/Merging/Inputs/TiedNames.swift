package import ExportedGraph
package import Safetensors
internal import Torch

/// Which names mean one and the same tensor, as the graph ties them (an embedding and the output layer, for one).
package struct TiedNames: Sendable {
    /// Each with its key first: the name by which the tensor is known here.
    let groups: [[String]]
    private let places: [String: Int]
    /// Every name of the graph's parameters and buffers; nil without a graph.
    private let used: Set<String>?

    /// The key of a group is a name that the base's files hold, if there is one, and the graph's own name if it can be.
    /// Without a graph the groups of `configured` count.
    package init(_ signature: GraphSignature?, base: Checkpoint, configured: [[String]] = []) {
        let names = Set(base.names)
        used = signature.map { Set(($0.parameters + $0.buffers).flatMap { [$0.name] + $0.aliases }) }
        groups = (signature?.ties ?? configured).map { group in
            group.filter(names.contains) + group.filter { !names.contains($0) }
        }
        var places: [String: Int] = [:]
        for (place, group) in groups.enumerated() {
            for name in group { places[name] = place }
        }
        self.places = places
    }

    /// Whether the graph has no use for a tensor: the base's head of its pretraining, for one. False without a graph.
    func isSpare(_ name: String) -> Bool { used.map { !$0.contains(name) } ?? false }

    /// Every name of the tensor called `name`, its key first.
    func names(with name: String) -> [String] { places[name].map { groups[$0] } ?? [name] }

    func key(of name: String) -> String { names(with: name)[0] }

    /// Throws where a checkpoint holds one tensor of the model under two names with different values: only one of them would be
    /// merged. Without a `task` it is the base's fault.
    func check(_ checkpoint: Checkpoint, of task: String? = nil) throws {
        if let fault = try checkpoint.untied(among: groups) { throw MergeError.blaming(task, fault) }
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
