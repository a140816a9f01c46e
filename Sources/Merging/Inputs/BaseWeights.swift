package import ExportedGraph
internal import Files
package import Safetensors

/// The weights of a base model: safetensors, or where none stand beside it what `graph.pt2` itself carries.
package enum BaseWeights {
    /// Opens the weights in `directory`, through links to anywhere. `graph` is that folder's, where it can be read.
    package static func open(directory: String, graph: ExportedGraph?) throws -> Checkpoint {
        if !Checkpoint.isPresent(directory: directory), let own = try graph?.checkpoint() { return own }
        return try Checkpoint(directory: directory, root: "/", allowsAbsent: true)
    }

    /// The same where the graph was not read before.
    package static func open(directory: String) throws -> Checkpoint {
        let path = directory + "/graph.pt2"
        guard !Checkpoint.isPresent(directory: directory),
            try FileStatus.ifPresent(path, followingLinks: true) != nil
        else { return try open(directory: directory, graph: nil) }
        return try open(directory: directory, graph: ExportedGraph(archive: path))
    }
}
