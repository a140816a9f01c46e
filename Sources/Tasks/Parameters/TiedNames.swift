package import ExportedGraph
package import Safetensors

/// Which names mean one and the same tensor, as the graph ties them (an embedding and the output layer, for one), and
/// which the graph has no use for.
package struct TiedNames: Sendable {
    /// Names that mean one tensor each, with its key first: the name by which the tensor is known here.
    package let groups: [[String]]
    private let places: [String: Int]
    /// Every name of the graph's parameters and buffers; nil without a graph.
    let used: Set<String>?
    /// Tensors of the base that a task may lack.
    private let optional: Set<String>

    /// The key of a group is a name that the base's files hold, if there is one, and the graph's own name if it can be.
    /// Without a graph the groups of `configured` count.
    package init(_ signature: GraphSignature?, base: Checkpoint, configured: [[String]] = []) {
        let names = Set(base.names)
        used = signature.map { Set(($0.parameters + $0.buffers).flatMap { [$0.name] + $0.aliases }) }
        optional = AuxiliaryTensors.optional(
            in: base, parameters: signature.map { Set($0.parameters.flatMap { [$0.name] + $0.aliases }) })
        groups = (signature?.ties ?? configured).map { group in
            group.filter(names.contains) + group.filter { !names.contains($0) }
        }
        var places: [String: Int] = [:]
        for (place, group) in groups.enumerated() {
            for name in group { places[name] = place }
        }
        self.places = places
    }

    /// Whether a task may lack a tensor of the base: the graph has no use for it (the base's head of its pretraining,
    /// for one), or it is a buffer, or transformers leaves it out.
    package func isSpare(_ name: String) -> Bool {
        optional.contains(name) || used.map { !$0.contains(name) } ?? false
    }

    /// Whether the graph has a parameter or a buffer of this name.
    package func isUsed(_ name: String) -> Bool { used?.contains(name) ?? false }

    /// Every name of the tensor called `name`, its key first.
    package func names(with name: String) -> [String] { places[name].map { groups[$0] } ?? [name] }

    package func key(of name: String) -> String { names(with: name)[0] }
}
