package import ExportedGraph
import Files
import Foundation
import ModelFamilies
import Safetensors
import WorkerProtocol

/// Decides whether a folder is a base model that tasks can be merged onto.
package struct BaseAdmission {
    /// Reads the signature of the archive at a path.
    let readGraph: @Sendable (String) throws -> GraphSignature
    let requiresValidation: Bool

    /// `requiresValidation`: whether the method learns, and so needs a graph.
    package init(readGraph: @escaping @Sendable (String) throws -> GraphSignature, requiresValidation: Bool) {
        self.readGraph = readGraph
        self.requiresValidation = requiresValidation
    }

    /// Reads the whole base. Throws why it is not accepted.
    package func admit(_ reader: inout UploadReader) throws(AdmissionFault) -> AcceptedBase {
        let listing = reader.listing
        if let objection = listing.objection { throw objection }
        for (name, mayNameCode) in BaseFiles.allowed where mayNameCode && listing.files[name] != nil {
            try checkConfiguration(name, reader)
        }
        let checkpoint = try weights(reader)
        let signature = try graph(reader, checkpoint)
        var files = try reader.read(checkpoint, comparing: nil, ties: ties(reader, checkpoint, signature)).files
        for name in listing.files.keys.sorted() where UploadRules.baseFiles.contains(name) {
            files.append(try reader.read(name).file)
        }
        files.sort { $0.name < $1.name }
        return AcceptedBase(
            source: BaseSource(directory: listing.place.path, files: files, digest: UploadReader.digest(files)),
            headParameters: BaseModel.headParameters(signature, checkpoint), hasGraph: signature != nil)
    }

    /// Opens an accepted base again, for comparing tasks with it. Throws `changed` where it is no longer the same.
    package func open(_ accepted: AcceptedBase, _ listing: UploadListing) throws(AdmissionFault) -> BaseModel {
        for file in accepted.source.files where listing.files[file.name]?.description != file.stamp {
            throw .changed("\(listing.place.path)/\(file.name) changed while tasks were compared with it")
        }
        let reader = UploadReader(listing: listing, memory: FileMemory())
        let checkpoint = try reader.checkpoint()
        let signature = try graph(reader, checkpoint)
        return BaseModel(
            checkpoint: checkpoint, signature: signature, ties: try ties(reader, checkpoint, signature),
            digest: accepted.source.digest, decoderStart: try decoderStart(reader))
    }

    /// Names that mean one tensor each. Without a graph the configuration tells those of a language model.
    private func ties(
        _ reader: UploadReader, _ checkpoint: Checkpoint, _ signature: GraphSignature?
    ) throws(AdmissionFault) -> [[String]] {
        if let signature { return signature.ties }
        let name = BaseGraph.configurationName
        guard reader.listing.files[name] != nil else { return [] }
        do {
            let bytes = try reader.open(name).contents(limit: BaseFiles.longestConfiguration)
            return ConfiguredTies.groups(configuration: bytes, weights: checkpoint)
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    private func decoderStart(_ reader: UploadReader) throws(AdmissionFault) -> DecoderStart? {
        for name in DecoderStart.files where reader.listing.files[name] != nil {
            do {
                let bytes = try reader.open(name).contents(limit: BaseFiles.longestConfiguration)
                if let start = DecoderStart(configuration: Data(bytes)) { return start }
            } catch {
                throw AdmissionFault(any: error)
            }
        }
        return nil
    }

    private func weights(_ reader: UploadReader) throws(AdmissionFault) -> Checkpoint {
        let checkpoint = try reader.checkpoint()
        guard !checkpoint.names.isEmpty else {
            throw .refused(code: "missing-weights", message: "the base's weights hold no tensor; save the model again")
        }
        try QuantisedWeights.check(checkpoint)
        return checkpoint
    }

    /// The signature of the base's graph: of its archive, or of what its configuration describes. Nil where there is neither and
    /// the method does without.
    private func graph(_ reader: UploadReader, _ checkpoint: Checkpoint) throws(AdmissionFault) -> GraphSignature? {
        guard reader.listing.files[UploadRules.graph] == nil else {
            let given = try archive(reader)
            let signature = given.renamed(given.prefixChanges(in: checkpoint))
            if let fault = signature.missingTrunk(in: checkpoint) {
                throw .refused(code: "trunk-missing", message: fault)
            }
            if let fault = signature.misnaming(in: checkpoint) {
                throw .refused(code: "misnamed-parameter", message: fault)
            }
            return signature
        }
        do {
            return try built(reader, checkpoint)
        } catch .refused where !requiresValidation {
            return nil
        }
    }

    private func archive(_ reader: UploadReader) throws(AdmissionFault) -> GraphSignature {
        do {
            return try readGraph("\(reader.listing.place.path)/\(UploadRules.graph)")
        } catch {
            throw .refused(
                code: "unsupported-graph", message: "\(error); export it again with Tools/export_model.py")
        }
    }

    private func built(_ reader: UploadReader, _ checkpoint: Checkpoint) throws(AdmissionFault) -> GraphSignature {
        let name = BaseGraph.configurationName
        guard reader.listing.files[name] != nil else {
            throw .refused(
                code: "missing-graph",
                message:
                    "the base has no graph.pt2, which this merge method needs, and no \(name) to build one from; export one "
                    + "with Tools/export_model.py")
        }
        let bytes: [UInt8]
        do {
            bytes = try reader.open(name).contents(limit: BaseFiles.longestConfiguration)
        } catch {
            throw AdmissionFault(any: error)
        }
        do throws(ModelFamilyError) {
            return try BaseGraph.build(configuration: bytes, path: name, weights: checkpoint).signature
        } catch {
            throw .refused(code: "missing-graph", message: "the base has no graph.pt2, and \(error)")
        }
    }

    /// A configuration that tells servers to load code from beside the weights is refused.
    private func checkConfiguration(_ name: String, _ reader: UploadReader) throws(AdmissionFault) {
        let bytes: [UInt8]
        do {
            bytes = try reader.open(name).contents(limit: BaseFiles.longestConfiguration)
        } catch {
            throw AdmissionFault(any: error)
        }
        switch BaseFiles.fault(in: Data(bytes)) {
        case .notJSON: throw .refused(code: "malformed", message: "\(name) is not JSON; copy it again")
        case .namesCode(let key):
            throw .refused(
                code: "code", message: "\(name) has `\(key)`, which makes servers run code from the folder; remove it")
        case nil: return
        }
    }
}
