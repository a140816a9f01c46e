import Adapters
package import Files
import Safetensors
import WorkerProtocol

/// Reads the files of one drop, each once for its content, and remembers what it found.
package struct UploadReader {
    package let listing: UploadListing
    package var memory: FileMemory
    /// Told the bytes of each chunk that was read.
    package var onProgress: @Sendable (Int64) -> Void = { _ in }

    package init(listing: UploadListing, memory: FileMemory) {
        self.listing = listing
        self.memory = memory
    }

    /// Opens the named file and makes sure that it is the one that was listed.
    package func open(_ name: String) throws(AdmissionFault) -> ReadableFile {
        let file = try listing.place.open(name)
        do {
            guard try file.identity() == listing.files[name] else {
                throw AdmissionFault.changed("\(file.path) changed while it was looked at")
            }
        } catch {
            throw AdmissionFault(any: error)
        }
        return file
    }

    /// The file and its digest, from memory or by a reading. `entries`: its tensors, which are then searched for NaN and Inf
    /// and, with `parameters`, compared with the base's. `tied`: those of which the record is to tell the content.
    mutating func read(
        _ name: String, entries: [TensorEntry] = [], comparing parameters: ParameterCheck? = nil,
        tied: Set<String> = []
    ) throws(AdmissionFault) -> (file: SourceFile, record: FileRecord) {
        let file = try open(name)
        do {
            let identity = try file.identity()
            let stamp = identity.description
            var record = memory.record(stamp)
            let told = Set((record?.tied ?? [:]).keys)
            let isKnown = parameters == nil || record?.resemblance?.base == parameters?.comparison
            if record == nil || !isKnown || !tied.isSubset(of: told) {
                var scan = TensorScan(entries, comparing: parameters, tied: tied)
                let sha256 = unsafe try file.sha256(visit: { chunk, offset in
                    unsafe try scan.visit(chunk, at: offset)
                    onProgress(Int64(chunk.count))
                })
                guard try file.identity() == identity else {
                    throw AdmissionFault.changed("\(file.path) changed while it was read")
                }
                record = FileRecord(
                    sha256: sha256, notFinite: scan.notFinite, resemblance: scan.resemblance,
                    tied: scan.contents.isEmpty ? nil : scan.contents)
            }
            guard let record else { throw AdmissionFault.changed("\(file.path) changed while it was read") }
            memory.remember(record, for: stamp)
            return (SourceFile(name: name, bytes: identity.size, sha256: record.sha256, stamp: stamp), record)
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    /// Reads the weights: every file of the checkpoint, its index among them. `ties`: groups of names that mean one tensor each.
    mutating func read(
        _ checkpoint: Checkpoint, comparing parameters: ParameterCheck?, ties: [[String]]
    ) throws(AdmissionFault) -> (files: [SourceFile], resemblance: CosineSums?) {
        var sources: [SourceFile] = []
        var total = parameters.map { CosineSums(base: $0.comparison) }
        let shared = checkpoint.shared(among: ties)
        var contents: [String: String] = [:]
        for name in checkpoint.fileNames {
            guard listing.files[name] != nil else {
                throw .changed("\(listing.place.path)/\(name) came while it was looked at")
            }
            let tensors = checkpoint.files.first { $0.file.path.hasSuffix("/" + name) }
            let entries = tensors.map { file in checkpoint.entries(of: file) } ?? []
            let tied = Set(shared.joined()).intersection(entries.map(\.name))
            let (file, record) = try read(
                name, entries: entries, comparing: tensors == nil ? nil : parameters, tied: tied)
            if let tensor = record.notFinite { throw Self.notFinite(tensor, in: name) }
            sources.append(file)
            if let part = record.resemblance { total?.add(part) }
            contents.merge(record.tied ?? [:]) { $1 }
        }
        for group in shared {
            guard let other = group.first(where: { contents[$0] != contents[group[0]] }) else { continue }
            throw .refused(code: "untied", message: Checkpoint.untied(group[0], other))
        }
        return (sources, total)
    }

    /// Opens the weights and makes sure that they are those that were listed.
    func checkpoint() throws(AdmissionFault) -> Checkpoint {
        let checkpoint: Checkpoint
        do throws(SafetensorsError) {
            checkpoint = try Checkpoint(directory: listing.place.path, root: listing.place.root)
        } catch {
            throw AdmissionFault(error)
        }
        for file in checkpoint.files { try check(file) }
        return checkpoint
    }

    /// Whether the folder holds an adapter, whole or not.
    var hasAdapter: Bool { Adapter.fileNames.contains { listing.files[$0] != nil } }

    /// Opens the adapter, makes sure that it is the one that was listed, and matches it with the base.
    func adapter(_ parameters: ParameterCheck) throws(AdmissionFault) -> Adapter {
        let weights = ["model.safetensors", "model.safetensors.index.json"].first { listing.files[$0] != nil }
        if let weights {
            throw .refused(
                code: "malformed", message: "both an adapter and \(weights) are there; remove one of the two")
        }
        for name in Adapter.fileNames where listing.files[name] == nil {
            throw .refused(
                code: "missing-weights", message: "there is half of an adapter; put \(name) beside it")
        }
        let configuration: AdapterConfiguration
        let file: SafetensorsFile
        do {
            configuration = try AdapterConfiguration(
                open(AdapterConfiguration.fileName).contents(limit: AdapterConfiguration.longest))
            file = try SafetensorsFile(file: open(Adapter.weightsName))
            try check(file)
            return try Adapter(
                file, configuration, base: parameters.base.checkpoint, tied: parameters.base.tied,
                isHead: parameters.isHead)
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    private func check(_ file: SafetensorsFile) throws(AdmissionFault) {
        let name = file.file.path.splitPath.name
        guard let identity = try? file.file.identity(), identity == listing.files[name] else {
            throw .changed("\(file.file.path) changed while it was looked at")
        }
    }

    static func notFinite(_ tensor: String, in name: String) -> AdmissionFault {
        .refused(
            code: "not-finite",
            message:
                "\(name): tensor `\(tensor.printable)` holds NaN or infinity; save a checkpoint from before it diverged"
        )
    }

    /// The digest of a base or task.
    static func digest(_ files: [SourceFile]) -> String {
        Digest.manifest(files.map { ($0.name, $0.sha256) })
    }
}
