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
    private let smallFiles = SmallFiles()

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

    /// Throws where the listing alone says that the folder is not accepted.
    func checkListing() throws(AdmissionFault) {
        if let objection = listing.objection { throw objection }
        guard let name = listing.unfinished else { return }
        throw UnfinishedDownload.fault(name)
    }

    /// The content of a configuration file; nil where there is none.
    func contentsIfPresent(_ name: String) throws(AdmissionFault) -> [UInt8]? {
        guard listing.files[name] != nil else { return nil }
        return try contents(name, limit: BaseFiles.longestConfiguration)
    }

    /// The content of a file of at most `limit` bytes.
    func contents(_ name: String, limit: Int) throws(AdmissionFault) -> [UInt8] {
        try smallFiles.contents(name, limit: limit, open)
    }

    /// The file and its digest, from memory or by a reading. `entries`: its tensors, which are then searched for NaN
    /// and Inf and, with `parameters`, compared with the base's. `tied`: those of which the record is to tell the
    /// content.
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
                    tied: scan.contents.isEmpty ? nil : scan.contents,
                    constants: scan.constants.isEmpty ? nil : scan.constants,
                    zeroed: scan.zeroed.isEmpty ? nil : scan.zeroed, turned: scan.turned.isEmpty ? nil : scan.turned)
            }
            guard let record else { throw AdmissionFault.changed("\(file.path) changed while it was read") }
            memory.remember(record, for: stamp)
            return (SourceFile(name: name, bytes: identity.size, sha256: record.sha256, stamp: stamp), record)
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    /// Reads the weights: every file of the checkpoint, its index among them. `ties`: groups of names that mean one
    /// tensor each.
    mutating func read(
        _ checkpoint: Checkpoint, comparing parameters: ParameterCheck?, ties: [[String]]
    ) throws(AdmissionFault) -> WeightsReading {
        var sources: [SourceFile] = []
        var constants: [String: Double] = [:]
        var zeroed: [String: ZeroedElements] = [:]
        var turned: [String: Double] = [:]
        var total = parameters.map { CosineSums(base: $0.comparison) }
        let shared = checkpoint.shared(among: ties)
        var contents: [String: String] = [:]
        for name in checkpoint.fileNames {
            guard listing.files[name] != nil else {
                throw .changed("\(listing.place.path)/\(name) came while it was looked at")
            }
            let tensors = checkpoint.files.first { $0.file.path.hasSuffix("/" + name) }
            let entries = (tensors.map { file in checkpoint.entries(of: file) } ?? [])
                .sorted { $0.bytes.lowerBound < $1.bytes.lowerBound }
            let tied = Set(shared.joined()).intersection(entries.map(\.name))
            let (file, record) = try read(
                name, entries: entries, comparing: tensors == nil ? nil : parameters, tied: tied)
            if let tensor = record.notFinite { throw AdmissionFault.notFinite(tensor, in: name) }
            sources.append(file)
            if let part = record.resemblance { total?.add(part) }
            contents.merge(record.tied ?? [:]) { $1 }
            constants.merge(record.constants ?? [:]) { $1 }
            // What another comparison left says nothing of this one.
            guard tensors != nil, parameters != nil else { continue }
            zeroed.merge(record.zeroed ?? [:]) { $1 }
            turned.merge(record.turned ?? [:]) { $1 }
        }
        for group in shared {
            guard let other = group.first(where: { contents[$0] != contents[group[0]] }) else { continue }
            throw .refused(code: "untied", message: Checkpoint.untied(group[0], other))
        }
        return WeightsReading(
            files: sources, resemblance: total, constants: constants, zeroed: zeroed, turned: turned)
    }

    /// The same from a part of each tensor, for weights that are about to be read whole by a merge, which then searches
    /// NaN and gives the digests. Whether a tensor is constant is found out exactly.
    func sample(
        _ checkpoint: Checkpoint, comparing parameters: ParameterCheck?, ties: [[String]]
    ) throws(AdmissionFault) -> WeightsReading {
        do {
            var files: [SourceFile] = []
            for name in checkpoint.fileNames {
                let identity = try open(name).identity()
                files.append(SourceFile(name: name, bytes: identity.size, sha256: "", stamp: identity.description))
            }
            if let fault = try checkpoint.untied(among: ties) {
                throw AdmissionFault.refused(code: "untied", message: fault)
            }
            var total = parameters.map { CosineSums(base: $0.comparison) }
            var constants: [String: Double] = [:]
            var zeroed: [String: ZeroedElements] = [:]
            var turned: [String: Double] = [:]
            let share = Self.sampleBytes / Int64(max(1, checkpoint.names.count))
            for file in checkpoint.files {
                let entries = checkpoint.entries(of: file)
                var scan = TensorScan(entries, comparing: parameters)
                for entry in entries where !entry.bytes.isEmpty {
                    let width = Int64(entry.dtype.byteCount)
                    let count = min(Int64(entry.bytes.count), max(Self.leastSample, share / width * width))
                    let piece = Int(Self.samplePiece / width * width)
                    for start in stride(from: 0, to: Int(count), by: piece) {
                        let offset = entry.bytes.lowerBound + Int64(start)
                        var bytes = [UInt8](repeating: 0, count: min(piece, Int(count) - start))
                        unsafe try bytes.withUnsafeMutableBytes { unsafe try file.file.read(into: $0, at: offset) }
                        unsafe try bytes.withUnsafeBytes { unsafe try scan.visit($0, at: offset) }
                    }
                }
                scan.finish()
                if let tensor = scan.notFinite {
                    throw AdmissionFault.notFinite(tensor, in: file.file.path.splitPath.name)
                }
                if let part = scan.resemblance { total?.add(part) }
                zeroed.merge(scan.zeroed) { $1 }
                turned.merge(scan.turned) { $1 }
                for (name, value) in scan.constants where try checkpoint.isConstant(name) { constants[name] = value }
            }
            return WeightsReading(
                files: files, resemblance: total, constants: constants, zeroed: zeroed, turned: turned)
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    /// Bytes of a checkpoint that are read for a sample, and of each of its tensors at least.
    private static let sampleBytes: Int64 = 32 << 20
    private static let leastSample: Int64 = 4096
    /// Bytes of a sample that are in memory at once.
    private static let samplePiece: Int64 = 1 << 20

    /// Opens the weights and makes sure that they are those that were listed.
    func checkpoint() throws(AdmissionFault) -> Checkpoint {
        let checkpoint: Checkpoint
        do throws(SafetensorsError) {
            checkpoint = try Checkpoint(directory: listing.place.path, root: listing.place.root, allowsAbsent: true)
        } catch {
            throw fault(error)
        }
        for file in checkpoint.files { try check(file) }
        return checkpoint
    }

    /// Why weights can't be read: what they are instead, where their bytes or the other files tell.
    private func fault(_ error: SafetensorsError) -> AdmissionFault {
        switch error {
        case .missing(let path, _) where path == listing.place.path:
            return MissingWeights.fault(listing.place.path, listing.files.keys)
        case .malformed(let path, _), .truncated(let path, _):
            let name = path.splitPath.name
            guard listing.files[name] != nil, let file = try? open(name), let content = FileContent(file) else {
                return AdmissionFault(error)
            }
            return content.fault(in: name)
        default: return AdmissionFault(error)
        }
    }

    /// Opens a safetensors file of the folder.
    func safetensors(_ name: String) throws(AdmissionFault) -> SafetensorsFile {
        let file = try open(name)
        do throws(SafetensorsError) {
            return try SafetensorsFile(file: file)
        } catch {
            throw fault(error)
        }
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
        let names = listing.files.keys.sorted()
        if listing.files[Adapter.weightsName] == nil,
            let message = names.lazy.compactMap({ MissingWeights.otherFormat($0, names) }).first
        {
            throw .refused(code: "missing-weights", message: message)
        }
        for name in Adapter.fileNames where listing.files[name] == nil {
            throw .refused(
                code: "missing-weights", message: "there is half of an adapter; put \(name) beside it")
        }
        let configuration: AdapterConfiguration
        let file: SafetensorsFile
        do {
            let bytes = try contents(AdapterConfiguration.fileName, limit: AdapterConfiguration.longest)
            if let fault = ContentCheck.disguise(of: bytes, AdapterConfiguration.fileName) { throw fault }
            configuration = try AdapterConfiguration(bytes)
            file = try safetensors(Adapter.weightsName)
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

    /// The digest of a base or task.
    static func digest(_ files: [SourceFile]) -> String {
        Digest.manifest(files.map { ($0.name, $0.sha256) })
    }
}
