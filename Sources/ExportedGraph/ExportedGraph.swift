package import Files
package import Safetensors

/// A decoded `torch.export` archive, or a graph of the same operators that was built without one: pure data, no
/// libtorch, so that the daemon can check a base without it.
package struct ExportedGraph: Sendable {
    package let signature: GraphSignature
    /// In the order of `body.inputs`.
    package let inputs: [GraphInput]
    package let body: GraphBlock
    /// The values among `body.outputs` that the model's caller gets, in order.
    package let outputs: [GraphArgument]
    /// By state-dict name: weights, buffers and constants, whether or not their bytes are in the archive.
    package let stored: [String: StoredTensor]

    /// Where the graph comes from, for messages: the archive, or what it was built from.
    package let path: String
    /// Nil for a graph that was built.
    let archive: ZipArchive?
    /// Storages whose bytes are in the archive.
    let storages: [String: ZipArchive.Entry]

    /// Bytes of one tensor's storage; larger ones are read from safetensors.
    private static let storageLimit = 16 << 30

    /// Reads the archive at a path that may be a link to anywhere; for what somebody named, not for what lies in a
    /// registry.
    package init(archive path: String) throws(GraphError) {
        let file: ReadableFile
        do throws(FilesError) {
            file = try ReadableFile(path: path, followingLinks: true)
        } catch {
            throw .malformed(path: path, reason: "it can't be opened (\(error))")
        }
        try self.init(archive: file)
    }

    /// Reads an archive (a zip of stored entries) that is open: graph, signature, constants and weights' places.
    /// Bounded memory.
    package init(archive file: ReadableFile) throws(GraphError) {
        let archive = try ZipArchive(file)
        let contents = try ArchiveContents(archive)
        self.archive = archive
        path = file.path
        // By the names that checkpoints have, once they are opened.
        let names = LegacyNames.renamed(
            among: Set(contents.model.inputs.filter { $0.kind != .user }.map(\.name)).union(contents.stored.keys))
        inputs = contents.model.inputs.map { input in
            guard input.kind != .user, let name = names[input.name] else { return input }
            return GraphInput(kind: input.kind, name: name, value: input.value)
        }
        body = contents.model.body
        outputs = zip(contents.model.body.outputs, contents.model.outputs).filter { $1.isForUser }.map { $0.0 }
        stored = Dictionary(contents.stored.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
        storages = contents.storages
        signature = GraphSignature(inputs: inputs, outputs: outputs, body: body, stored: stored)
    }

    /// A graph that was built, from what `path` names, and carries no bytes. `stored` tells which parameters are tied.
    package init(
        path: String, inputs: [GraphInput], body: GraphBlock, outputs: [GraphArgument],
        stored: [String: StoredTensor], embedding: GraphSignature.Embedding? = nil
    ) {
        archive = nil
        self.path = path
        self.inputs = inputs
        self.body = body
        self.outputs = outputs
        self.stored = stored
        storages = [:]
        var signature = GraphSignature(inputs: inputs, outputs: outputs, body: body, stored: stored)
        signature.embedding = embedding
        self.signature = signature
    }

    /// The graph with the names that `base` has, where these have one part more or fewer before them.
    package func adapted(to base: Checkpoint) -> ExportedGraph {
        let names = signature.prefixChanges(in: base)
        return names.isEmpty ? self : ExportedGraph(self, renamed: names)
    }

    private init(_ graph: ExportedGraph, renamed names: [String: String]) {
        archive = graph.archive
        path = graph.path
        body = graph.body
        outputs = graph.outputs
        storages = graph.storages
        inputs = graph.inputs.map { input in
            guard input.kind != .user, let name = names[input.name] else { return input }
            return GraphInput(kind: input.kind, name: name, value: input.value, rule: input.rule)
        }
        stored = Dictionary(graph.stored.map { (names[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
        signature = GraphSignature(inputs: inputs, outputs: outputs, body: body, stored: stored)
    }

    /// Whether it comes from an archive.
    package var isArchived: Bool { archive != nil }

    /// The bytes of the whole storage of a weight, buffer or constant; nil where the archive does not carry them. The
    /// tensor's place in it is told by `stored[name].meta`.
    package func storage(_ name: String) throws(GraphError) -> [UInt8]? {
        guard let archive, let tensor = stored[name], let entry = storages[tensor.storage] else { return nil }
        return try archive.bytes(entry, limit: Self.storageLimit)
    }
}
