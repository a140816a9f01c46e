package import ExportedGraph
package import Files
package import Safetensors

/// The graph of a base model: its `graph.pt2`, or where there is none the one that its `config.json` and the names and
/// shapes of its weights describe.
package enum BaseGraph {
    package static let archiveName = "graph.pt2"
    package static let configurationName = "config.json"

    private static let families: [String: any ModelFamily.Type] = {
        let all: [any ModelFamily.Type] = ModelFamilies.encoders + ModelFamilies.decoders + ModelFamilies.others
        return Dictionary(all.flatMap { family in family.modelTypes.map { ($0, family) } }) { first, _ in first }
    }()

    /// Values of `model_type` for which a graph can be built, sorted.
    package static var modelTypes: [String] { families.keys.sorted() }

    /// Keys of every configuration that say nothing about the logits.
    package static var inertKeys: Set<String> { ModelConfiguration.inert }

    /// Further ones of a family whose graph can be built; none of others.
    package static func inertKeys(modelType: String) -> Set<String> { families[modelType]?.inert ?? [] }

    /// Whether an archive stands in the folder.
    package static func hasArchive(directory: String) throws(FilesError) -> Bool {
        try FileStatus.ifPresent("\(directory)/\(archiveName)", followingLinks: true) != nil
    }

    /// Whether the folder says what its model is: by an archive, or by a configuration. Whether that can be used is
    /// another question.
    package static func isDescribed(directory: String) throws(FilesError) -> Bool {
        if try hasArchive(directory: directory) { return true }
        return try FileStatus.ifPresent("\(directory)/\(configurationName)", followingLinks: true) != nil
    }

    /// Whether the folder has an archive, or a configuration of a family that is built here. Whether its graph can be
    /// used is found out when it is opened.
    package static func isUsable(directory: String) -> Bool {
        if (try? hasArchive(directory: directory)) == true { return true }
        let path = "\(directory)/\(configurationName)"
        guard let file = try? ReadableFile(path: path, followingLinks: true),
            let bytes = try? file.contents(limit: ModelConfiguration.longest),
            let configuration = try? ModelConfiguration(bytes, path: path),
            let type = try? configuration.text("model_type", default: "")
        else { return false }
        return families[type] != nil
    }

    /// Opens or builds the graph of the model in a folder, through links to anywhere. Without weights there, a graph
    /// that is built takes the names that transformers gives. Throws `GraphError`, `ModelFamilyError`, or what the
    /// files said.
    package static func open(directory: String) throws -> ExportedGraph {
        if try hasArchive(directory: directory) {
            let graph = try ExportedGraph(archive: "\(directory)/\(archiveName)")
            guard Checkpoint.isPresent(directory: directory) else { return graph }
            return graph.adapted(to: try Checkpoint(directory: directory, root: "/"))
        }
        let path = "\(directory)/\(configurationName)"
        let bytes = try ReadableFile(path: path, followingLinks: true).contents(limit: ModelConfiguration.longest)
        let weights = Checkpoint.isPresent(directory: directory) ? try Checkpoint(directory: directory, root: "/") : nil
        return try build(configuration: bytes, path: path, weights: weights)
    }

    /// Builds the graph that a configuration describes. `weights` decides between the names that different versions of
    /// transformers give the same tensors, and must hold every one of them but the head's, in the described shape.
    /// `path` is the configuration's, for messages.
    package static func build(
        configuration bytes: [UInt8], path: String, weights: Checkpoint?
    ) throws(ModelFamilyError) -> ExportedGraph {
        let configuration = try ModelConfiguration(bytes, path: path)
        let type = try configuration.text("model_type", default: "")
        guard let family = families[type] else {
            let known = modelTypes.joined(separator: ", ")
            throw configuration.unsupported(
                "model_type", type.isEmpty ? "is missing" : "is \"\(shown(type))\", and only \(known) are built here")
        }
        let shapes = weights.map { weights in
            let entries = weights.names.compactMap { weights.entry($0) }.filter(\.dtype.isReal)
            return Dictionary(entries.map { ($0.name, $0.shape) }) { first, _ in first }
        }
        let draft = GraphBuilder(path: path, weights: shapes)
        let logits = try family.write(configuration, into: draft)
        try configuration.checkRest(inert: family.inert.union(ModelConfiguration.inert))
        try draft.checkRest(spare: family.spare)
        return draft.graph(returning: logits)
    }
}
