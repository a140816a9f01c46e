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
    package func isSpare(_ name: String) -> Bool { used.map { !$0.contains(name) } ?? false }

    /// Every name of the tensor called `name`, its key first.
    package func names(with name: String) -> [String] { places[name].map { groups[$0] } ?? [name] }

    package func key(of name: String) -> String { names(with: name)[0] }
}
