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

    /// Whether the graph that is built of a kind has the language part of a larger model alone.
    package static func isLanguagePart(modelType: String) -> Bool {
        VisionLanguageFamily.modelTypes.contains(modelType)
    }

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
    /// files said. `head`: that of the tasks, where the base leaves it to them.
    package static func open(directory: String, head: FamilyHead? = nil) throws -> ExportedGraph {
        if try hasArchive(directory: directory) {
            let graph = try ExportedGraph(archive: "\(directory)/\(archiveName)")
            guard Checkpoint.isPresent(directory: directory) else { return graph }
            return graph.adapted(to: try Checkpoint(directory: directory, root: "/", allowsAbsent: true))
        }
        let path = "\(directory)/\(configurationName)"
        let bytes = try ReadableFile(path: path, followingLinks: true).contents(limit: ModelConfiguration.longest)
        let isThere = Checkpoint.isPresent(directory: directory)
        let weights = isThere ? try Checkpoint(directory: directory, root: "/", allowsAbsent: true) : nil
        let modules = try SentenceModules { name throws(FilesError) in
            let path = "\(directory)/\(name)"
            guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { return nil }
            return try ReadableFile(path: path, followingLinks: true).contents(limit: ModelConfiguration.longest)
        }
        return try build(configuration: bytes, path: path, weights: weights, head: head, modules: modules)
    }

    /// Builds the graph that a configuration describes. `weights` decides between the names that different versions of
    /// transformers give the same tensors, and must hold every one of them but the head's, in the described shape.
    /// `path` is the configuration's, for messages; `head` that of the tasks, where the base leaves it to them.
    /// `modules`: what the base's say of its texts' embeddings, which the graph then gives as its second output.
    package static func build(
        configuration bytes: [UInt8], path: String, weights: Checkpoint?, head: FamilyHead? = nil,
        modules: SentenceModules? = nil
    ) throws(ModelFamilyError) -> ExportedGraph {
        try build(ModelConfiguration(bytes, path: path, head: head?.applied(to: bytes)), weights: weights, modules)
    }

    /// Whether both configurations describe one graph, whichever version of transformers wrote them. False where either
    /// is not built here. What only names or sizes a head, or the vocabulary, is taken from `second` for both, and so
    /// are the values of `ignoring`.
    package static func areSame(
        _ first: [String: JSONValue], _ second: [String: JSONValue], ignoring keys: Set<String> = []
    ) -> Bool {
        var first = first
        for key in keys.union(["architectures", "id2label", "label2id", "num_labels", "vocab_size"]) {
            first[key] = second[key]
        }
        guard let own = try? build(ModelConfiguration(first, path: ""), weights: nil),
            let other = try? build(ModelConfiguration(second, path: ""), weights: nil)
        else { return false }
        return own.body == other.body && own.signature == other.signature
    }

    private static func build(
        _ configuration: ModelConfiguration, weights: Checkpoint?, _ modules: SentenceModules? = nil
    ) throws(ModelFamilyError) -> ExportedGraph {
        let path = configuration.path
        let type = try configuration.text("model_type", default: "")
        guard let family = families[type] else {
            if let reason = UnbuiltFamilies.reason(type) {
                throw .unbuilt(path: path, type: type, reason: reason)
            }
            throw configuration.unsupported(
                "model_type",
                type.isEmpty
                    ? "is missing"
                    : "is \"\(shown(type))\", none of the \(modelTypes.count) that are built here (docs/families.md)")
        }
        let shapes = weights.map { weights in
            let entries = weights.names.compactMap { weights.entry($0) }.filter(\.dtype.isReal)
            return Dictionary(entries.map { ($0.name, $0.shape) }) { first, _ in first }
        }
        let draft = GraphBuilder(path: path, weights: shapes, modules: modules)
        let logits = try family.write(configuration, into: draft)
        try configuration.checkRest(inert: family.inert.union(ModelConfiguration.inert))
        try draft.checkRest(spare: family.spare)
        return draft.graph(returning: logits)
    }
}
