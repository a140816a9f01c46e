import ExportedGraph
import Safetensors
import WorkerProtocol

/// The accepted base, opened for comparing tasks with it.
package struct BaseModel {
    let checkpoint: Checkpoint
    package let description: BaseDescription
    /// `BaseSource.digest`.
    let digest: String
    /// The base's folder, as it was listed.
    let listing: UploadListing
    /// Parameters of the graph that the base lacks, in the graph's order.
    let headParameters: [String]
    /// Compares the files beside a task's weights with the base's; nil where only weights are compared.
    let companions: CompanionCheck?
    private let tiedNames: TiedNames
    private let hasMatrices: Bool

    init(
        checkpoint: Checkpoint, description: BaseDescription, digest: String, listing: UploadListing,
        companions: CompanionCheck? = nil
    ) {
        self.checkpoint = checkpoint
        self.description = description
        self.digest = digest
        self.listing = listing
        self.companions = companions
        let signature = description.signature
        headParameters = Self.headParameters(signature, checkpoint)
        tiedNames = TiedNames(signature, base: checkpoint, configured: description.ties)
        hasMatrices = checkpoint.files.contains { file in
            file.entries.contains { $0.dtype.kind == .real && $0.shape.count > 1 }
        }
    }

    /// Nil where the base has no graph.
    var signature: GraphSignature? { description.signature }
    /// Names that mean one tensor each, in groups.
    var ties: [[String]] { description.ties }

    /// Parameters of the graph of which `checkpoint` holds neither the name nor one that is tied to it.
    static func headParameters(_ signature: GraphSignature?, _ checkpoint: Checkpoint) -> [String] {
        (signature?.parameters ?? []).filter { slot in
            ([slot.name] + slot.aliases).allSatisfy { checkpoint.entry($0) == nil }
        }.map(\.name)
    }

    /// Whether tasks need not have a tensor of the base: the graph has no use for it, or it is a buffer, or
    /// transformers leaves it out.
    func isSpare(_ name: String) -> Bool { tiedNames.isSpare(name) }

    /// Whether the graph has a parameter or a buffer of this name.
    func isUsed(_ name: String) -> Bool { tiedNames.isUsed(name) }

    /// Every name that the graph or a tie knows.
    var knownNames: Set<String> { (tiedNames.used ?? []).union(ties.joined()) }

    /// Every name that shares its storage with `name`, itself among them.
    func tied(_ name: String) -> [String] { tiedNames.names(with: name) }

    /// Whether a task's tensor takes part in the cosine: matrices of the trunk (norms, whose weights all lie near one,
    /// make unrelated models look alike), or everything where the base has no matrix.
    func isCompared(_ entry: TensorEntry) -> Bool {
        guard entry.dtype.kind == .real, entry.shape.count > 1 || !hasMatrices,
            let other = checkpoint.entry(entry.name)
        else { return false }
        // A vocabulary that was cut is compared in the rows that it has.
        let isPart = other.shape.dropFirst() == entry.shape.dropFirst() && entry.shape[0] < other.shape[0]
        return other.dtype.kind == .real && (other.shape == entry.shape || isPart)
    }
}
