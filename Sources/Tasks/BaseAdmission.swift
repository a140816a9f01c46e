package import ExportedGraph
package import Files
import Foundation
import ModelFamilies
import Safetensors
import WorkerProtocol

/// Decides whether a folder is a base model that tasks can be merged onto.
package struct BaseAdmission {
    /// Reads the signature of an archive.
    let readGraph: @Sendable (ReadableFile) throws -> GraphSignature
    let requiresGraph: Bool
    /// How much of the weights is read.
    let extent: WeightsReading.Extent
    /// The tasks' head, where it is not the base's to say (`HeadChoice`).
    let head: String?

    /// `requiresGraph`: whether something is learned or scored whatever comes, so that a base without a graph is of no
    /// use.
    package init(
        requiresGraph: Bool, reading: WeightsReading.Extent = .whole, head: String? = nil,
        readGraph: @escaping @Sendable (ReadableFile) throws -> GraphSignature = {
            try ExportedGraph(archive: $0).signature
        }
    ) {
        self.readGraph = readGraph
        self.requiresGraph = requiresGraph
        extent = reading
        self.head = head
    }

    /// Reads the whole base; gives also what its files say beside the weights, to be handed to `open`. Throws why it is
    /// not accepted.
    package func admit(
        _ reader: inout UploadReader
    ) throws(AdmissionFault) -> (base: AcceptedBase, description: BaseDescription) {
        try reader.checkListing()
        let passedOn = reader.listing.files.keys.sorted().filter(BaseFiles.isPassedOn)
        for name in passedOn { try checkPassedOn(name, reader) }
        if let fault = try ModuleFolders(reader).fault { throw fault }
        let checkpoint = try weights(reader)
        let description = try describe(reader, checkpoint, head)
        let ties = TiedNames(description.signature, base: checkpoint, configured: description.ties)
        if let fault = AdmissionFault.absent(checkpoint, tied: ties.names, isSpare: { _ in false }) { throw fault }
        let reading = try reader.read(checkpoint, extent, comparing: nil, ties: description.ties)
        try checkValues(checkpoint, reading)
        var files = reading.files
        let read = Set(files.map(\.name))
        for name in passedOn where !read.contains(name) { files.append(try reader.read(name).file) }
        files.sort { $0.name < $1.name }
        let origin = try reader.contentsIfPresent(TaskLayout.baseSettings).map(ModelOriginFile.parse) ?? nil
        let source = BaseSource(
            directory: reader.listing.place.path, files: files, digest: UploadReader.digest(files),
            warnings: LeftOut(reader.listing, weights: checkpoint.fileNames).warnings, origin: origin,
            head: description.head)
        let accepted = AcceptedBase(
            source: source, headParameters: BaseModel.headParameters(description.signature, checkpoint),
            hasGraph: description.signature != nil)
        return (accepted, description)
    }

    /// Opens an accepted base again, for comparing tasks with it. `description`: what an earlier call of `describe`
    /// gave for the same content. Throws `changed` where it is no longer the same.
    package func open(
        _ accepted: AcceptedBase, _ listing: UploadListing, _ description: BaseDescription? = nil
    ) throws(AdmissionFault) -> BaseModel {
        for file in accepted.source.files where listing.files[file.name]?.description != file.stamp {
            throw .changed("\(listing.place.path)/\(file.name) changed while tasks were compared with it")
        }
        let reader = UploadReader(listing: listing, memory: FileMemory())
        let checkpoint = try stored(reader)
        let known: BaseDescription
        if let description {
            known = description
        } else {
            known = try describe(reader, checkpoint, accepted.source.head)
        }
        return BaseModel(
            checkpoint: checkpoint, description: known, digest: accepted.source.digest, listing: listing,
            companions: CompanionCheck(reader: reader))
    }

    private func describe(
        _ reader: UploadReader, _ checkpoint: Checkpoint, _ head: String?
    ) throws(AdmissionFault) -> BaseDescription {
        let configuration = try reader.contentsIfPresent(TaskLayout.configuration)
        let (signature, head) = try graph(reader, checkpoint, configuration, head)
        let ties =
            signature?.ties
            ?? configuration.map { ConfiguredTies.groups(configuration: $0, weights: checkpoint) } ?? []
        var start = configuration.flatMap { DecoderStart(configuration: $0) }
        for name in DecoderStart.files where start == nil && name != TaskLayout.configuration {
            let bytes = try reader.contentsIfPresent(name)
            start = bytes.flatMap { DecoderStart(configuration: $0) }
        }
        return BaseDescription(
            signature: signature, ties: ties, decoderStart: start,
            labels: configuration.flatMap { LabelNames(configuration: $0) }, head: head)
    }

    private func weights(_ reader: UploadReader) throws(AdmissionFault) -> Checkpoint {
        let checkpoint = try stored(reader)
        guard !checkpoint.names.isEmpty else {
            throw .refused(code: "missing-weights", message: "the base's weights hold no tensor; save the model again")
        }
        try QuantisedWeights.check(checkpoint)
        let empty = checkpoint.names.filter { name in
            checkpoint.entry(name).map { entry in
                entry.elementCount == 0 && entry.dtype.kind == .real
                    && !AuxiliaryTensors.isBuffer(name, shape: entry.shape)
            } ?? false
        }
        guard empty.isEmpty else {
            throw .refused(
                code: "wrong-shape", message: "the base's \(empty.firstFew) have no elements: \(Checkpoint.emptied)")
        }
        return checkpoint
    }

    /// The safetensors, or where there are none what `graph.pt2` itself carries.
    private func stored(_ reader: UploadReader) throws(AdmissionFault) -> Checkpoint {
        let files = reader.listing.files
        if files[TaskLayout.graph] != nil, !TaskLayout.holdsWeights(files.keys) {
            let file = try reader.open(TaskLayout.graph)
            // What can't be read is refused as a graph, or for want of weights.
            if let own = (try? ExportedGraph(archive: file).checkpoint()) ?? nil { return own }
        }
        return try reader.checkpoint()
    }

    /// A base whose matrices are all constant was never trained, or never copied.
    private func checkValues(_ checkpoint: Checkpoint, _ reading: WeightsReading) throws(AdmissionFault) {
        let matrices = checkpoint.names.filter { name in
            checkpoint.entry(name).map { $0.dtype.kind == .real && $0.shape.count > 1 } ?? false
        }
        guard !matrices.isEmpty, matrices.allSatisfy({ reading.constants[$0] == 0 }) else { return }
        throw .refused(
            code: "zero-tensor",
            message:
                "every matrix of the base is zero everywhere (\(matrices.firstFew)); copy the model's weights again")
    }

    /// The signature of the base's graph: of its archive, or of what its configuration describes. Nil where there is
    /// neither and the method does without. With it the head that was built, where that is the tasks'.
    private func graph(
        _ reader: UploadReader, _ checkpoint: Checkpoint, _ configuration: [UInt8]?, _ head: String?
    ) throws(AdmissionFault) -> (GraphSignature?, head: String?) {
        guard reader.listing.files[TaskLayout.graph] == nil else {
            let given = try archive(reader)
            let signature = given.renamed(given.prefixChanges(in: checkpoint))
            if let fault = signature.misnaming(in: checkpoint) {
                throw .refused(code: "misnamed-parameter", message: fault)
            }
            if let fault = signature.missingTrunk(in: checkpoint) {
                throw .refused(code: "trunk-missing", message: fault)
            }
            return (signature, nil)
        }
        do {
            let modules = try SentenceModules(reader.contentsIfPresent)
            // Tasks whose head is not built are refused themselves, not their base.
            if let configuration, let head = head.flatMap(FamilyHead.init)?.applied(to: configuration),
                let graph = try? BaseGraph.build(
                    configuration: configuration, path: TaskLayout.configuration, weights: checkpoint, head: head,
                    modules: modules)
            {
                return (graph.signature, head.rawValue)
            }
            return (try built(configuration, checkpoint, modules), nil)
        } catch .refused where !requiresGraph {
            return (nil, nil)
        }
    }

    private func archive(_ reader: UploadReader) throws(AdmissionFault) -> GraphSignature {
        let file = try reader.open(TaskLayout.graph)
        if let content = FileContent(file), content != .archive { throw content.fault(in: TaskLayout.graph) }
        do {
            return try readGraph(file)
        } catch {
            throw .refused(
                code: "unsupported-graph", message: "\(error); export it again with Tools/export_model.py")
        }
    }

    private func built(
        _ configuration: [UInt8]?, _ checkpoint: Checkpoint, _ modules: SentenceModules?
    ) throws(AdmissionFault) -> GraphSignature {
        let name = TaskLayout.configuration
        guard let configuration else {
            throw .refused(
                code: "missing-graph",
                message:
                    "the base has no graph.pt2, which this merge method needs, and no \(name) to build one from; "
                    + "export one with Tools/export_model.py")
        }
        do throws(ModelFamilyError) {
            return try BaseGraph.build(
                configuration: configuration, path: name, weights: checkpoint, modules: modules
            ).signature
        } catch {
            throw .refused(code: "missing-graph", message: "the base has no graph.pt2, and \(error)")
        }
    }

    /// Reads a file that releases pass on: it has to be what its name says.
    private func checkPassedOn(_ name: String, _ reader: UploadReader) throws(AdmissionFault) {
        if BaseFiles.mayNameCode(name) { try checkConfiguration(name, reader) }
        guard name != TaskLayout.graph else { return }
        guard !name.hasSuffix(".safetensors") else {
            let file = try reader.open(name)
            do {
                _ = try SafetensorsFile(file: file)
            } catch {
                throw AdmissionFault(any: error)
            }
            return
        }
        let bytes = try reader.contents(name, limit: ContentCheck.longest)
        if let fault = ContentCheck.fault(in: bytes, name) { throw fault }
    }

    /// A configuration that tells servers to load code from beside the weights is refused, and one that tells them to
    /// quantise.
    private func checkConfiguration(_ name: String, _ reader: UploadReader) throws(AdmissionFault) {
        guard let bytes = try reader.contentsIfPresent(name) else { return }
        if let fault = ContentCheck.disguise(of: bytes, name) { throw fault }
        switch BaseFiles.fault(in: bytes) {
        case .notJSON(let reason):
            if let content = FileContent(bytes) { throw content.fault(in: name) }
            throw .refused(
                code: "malformed", message: "\(name) is not JSON that Python reads: \(reason); copy it again")
        case .namesCode(let key):
            throw .refused(
                code: "code", message: "\(name) has `\(key)`, which makes servers run code from the folder; remove it")
        case nil: break
        }
        if name == TaskLayout.configuration { try QuantisedWeights.check(configuration: bytes) }
    }
}
