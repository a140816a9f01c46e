import ExportedGraph
import Safetensors
import WorkerProtocol

/// The accepted base, opened for comparing tasks with it.
package struct BaseModel {
    let checkpoint: Checkpoint
    /// Nil where the base has no graph.
    let signature: GraphSignature?
    /// `BaseSource.digest`.
    let digest: String
    /// Parameters of the graph that the base lacks, in the graph's order.
    let headParameters: [String]
    /// What its configuration says a decoder starts from; nil where it does not.
    let decoderStart: DecoderStart?
    /// Names that mean one tensor each, in groups: by the graph, or without one by the configuration.
    let ties: [[String]]
    /// Every name of the graph's parameters and buffers; nil without a graph.
    private let used: Set<String>?
    private let hasMatrices: Bool

    init(
        checkpoint: Checkpoint, signature: GraphSignature?, ties: [[String]], digest: String,
        decoderStart: DecoderStart?
    ) {
        self.checkpoint = checkpoint
        self.signature = signature
        self.ties = ties
        self.digest = digest
        self.decoderStart = decoderStart
        headParameters = Self.headParameters(signature, checkpoint)
        used = signature.map { Set(($0.parameters + $0.buffers).flatMap { [$0.name] + $0.aliases }) }
        hasMatrices = checkpoint.files.contains { file in
            file.entries.contains { $0.dtype.kind == .real && $0.shape.count > 1 }
        }
    }

    /// Parameters of the graph of which `checkpoint` holds neither the name nor one that is tied to it.
    static func headParameters(_ signature: GraphSignature?, _ checkpoint: Checkpoint) -> [String] {
        (signature?.parameters ?? []).filter { slot in
            ([slot.name] + slot.aliases).allSatisfy { checkpoint.entry($0) == nil }
        }.map(\.name)
    }

    /// Whether the graph has no use for a tensor of the base, so that tasks need not have it.
    func isSpare(_ name: String) -> Bool { used.map { !$0.contains(name) } ?? false }

    /// Every name that shares its storage with `name`, itself among them.
    func tied(_ name: String) -> [String] {
        ties.first { $0.contains(name) } ?? [name]
    }

    /// Whether a task's tensor takes part in the cosine: matrices of the trunk (norms, whose weights all lie near one, make
    /// strangers look alike), or everything where the base has no matrix.
    func isCompared(_ entry: TensorEntry) -> Bool {
        guard entry.dtype.kind == .real, entry.shape.count > 1 || !hasMatrices,
            let other = checkpoint.entry(entry.name)
        else { return false }
        return other.dtype.kind == .real && other.shape == entry.shape
    }
}
