internal import Files
internal import Foundation
internal import Safetensors
internal import Torch
internal import WorkerProtocol

/// The nodes of a hierarchical merge on disk, each in a folder called by its digest: the weights of its fit, and where
/// a fit above takes it as one the intermediate model in float32. What can't be read counts as not there and is made
/// again.
struct NodeStore {
    let directory: String

    private var recordPath: String { directory + "/tree.json" }
    private func folder(_ digest: String) -> String { directory + "/nodes/" + digest }
    private func fitPath(_ digest: String) -> String { folder(digest) + "/fit.safetensors" }
    private func modelPath(_ digest: String) -> String { folder(digest) + "/model.safetensors" }

    /// The tree of the last merge; nil where there is none.
    func planted() -> SavedTree? {
        guard let bytes = try? Durable.contents(recordPath) else { return nil }
        return try? JSON.decode(SavedTree.self, from: Data(bytes))
    }

    func plant(_ tree: SavedTree) throws {
        try Durable.createDirectories(directory)
        try Durable.replace(recordPath, with: Array(JSON.encode(tree)))
    }

    /// A node's fit; nil where there is none, or none of `count` weights.
    func fit(_ digest: String, count: Int? = nil) -> NodeRecord? {
        guard let file = try? SafetensorsFile(file: ReadableFile(path: fitPath(digest))),
            let text = file.metadata["fit"],
            let summary = try? JSON.decode(NodeRecord.Summary.self, from: Data(text.utf8)),
            let entry = file.entry("weights"), let weights = try? file.tensor(entry).doubles(),
            weights.count == count ?? weights.count
        else { return nil }
        return NodeRecord(weights: weights, summary: summary)
    }

    func save(_ record: NodeRecord, as digest: String) throws {
        let text = String(decoding: try JSON.encode(record.summary), as: UTF8.self)
        let slots = [SafetensorsWriter.Slot(name: "weights", dtype: .f64, shape: [record.weights.count])]
        try replace(fitPath(digest), in: digest, slots, ["format": "pt", "fit": text]) { writer in
            try unsafe record.weights.withUnsafeBytes { try unsafe writer.append($0) }
        }
    }

    /// A node's intermediate model; nil where there is none.
    func model(_ digest: String) -> Checkpoint? { try? Checkpoint(directory: folder(digest)) }

    /// Writes a node's intermediate model: float32 tensors that `body` hands over in the order of `slots`.
    func writeModel(
        _ digest: String, _ slots: [SafetensorsWriter.Slot], _ body: (SafetensorsWriter) throws -> Void
    ) throws -> Checkpoint {
        try replace(modelPath(digest), in: digest, slots, ["format": "pt"], body)
        return try Checkpoint(directory: folder(digest))
    }

    private func replace(
        _ path: String, in digest: String, _ slots: [SafetensorsWriter.Slot], _ metadata: [String: String],
        _ body: (SafetensorsWriter) throws -> Void
    ) throws {
        try Durable.createDirectories(folder(digest))
        let temporary = path + ".tmp"
        try Durable.remove(temporary)
        let writer = try SafetensorsWriter(path: temporary, slots: slots, metadata: metadata)
        try body(writer)
        _ = try writer.finish(sync: true)
        try Durable.rename(temporary, to: path)
        try Durable.syncDirectory(folder(digest))
    }

    /// Removes the fits and the models of all other nodes.
    func retain(fits: Set<String>, models: Set<String>) throws {
        guard try FileStatus.ifPresent(directory + "/nodes") != nil else { return }
        for digest in try Durable.list(directory + "/nodes") {
            if !fits.contains(digest) {
                try Durable.remove(folder(digest))
            } else if !models.contains(digest) {
                try Durable.remove(modelPath(digest))
            }
        }
    }
}
