import Adapters
import Safetensors
package import WorkerProtocol

/// Decides whether a folder is a task checkpoint that can be merged onto the base.
package struct TaskAdmission {
    let base: BaseModel
    let requiresExamples: Bool
    /// Objectives whose examples must be labelled.
    let labelled: Set<TaskSettings.Objective>
    /// Whether releases are written as one adapter, too, so that full weights are of no use.
    let needsAdapters: Bool
    /// How much of the weights is read.
    let extent: WeightsReading.Extent
    /// Whether the folder's own examples count; not where others are named instead.
    let readsExamples: Bool
    /// What makes tensors of tables.
    let encoder: ExampleEncoder?

    package init(
        base: BaseModel, requiresExamples: Bool, labelled: Set<TaskSettings.Objective>, needsAdapters: Bool,
        reading: WeightsReading.Extent = .whole, readsExamples: Bool = true, encoder: ExampleEncoder? = nil
    ) {
        self.base = base
        self.requiresExamples = requiresExamples
        self.labelled = labelled
        self.needsAdapters = needsAdapters
        extent = reading
        self.readsExamples = readsExamples
        self.encoder = encoder
    }

    /// GiB that validation.safetensors may have; it is held in memory. Weights are bounded by the shapes of base and
    /// graph, to which their files' lengths are held before they are read.
    private static let mostValidation: Int64 = 4

    /// Reads the whole task. Throws why it is not accepted.
    package func admit(_ name: String, _ reader: inout UploadReader) throws(AdmissionFault) -> AcceptedTask {
        try reader.checkListing()
        let listing = reader.listing
        let validationBytes = listing.files[TaskLayout.examples]?.size ?? 0
        guard validationBytes >> 30 < Self.mostValidation else {
            throw .refused(
                code: "too-large",
                message:
                    "\(TaskLayout.examples) has \(validationBytes >> 30) GiB, and at most \(Self.mostValidation) are "
                    + "read; upload a few hundred examples")
        }
        var files: [SourceFile] = []
        var settings = TaskSettings()
        if listing.files[TaskLayout.settings] != nil {
            settings = try TaskSettingsFile.read(try reader.open(TaskLayout.settings))
            files.append(try reader.read(TaskLayout.settings).file)
        }
        let head = try reader.contentsIfPresent(HeadConfiguration.fileName)
        settings = settings.resolved(head.flatMap { HeadConfiguration($0) })
        // Where the base's modules are not built, that is what the examples are refused for.
        let needsNoHead = settings.objective == .similarity && base.signature?.embedding != nil
        let parameters = ParameterCheck(base: base, head: settings.head, needsNoHead: needsNoHead)
        var warnings = try base.companions?.checkConfiguration(reader) ?? []
        let (checkpoint, adapter) = try checkpoint(reader, parameters)
        warnings += try base.companions?.checkTokenizer(reader) ?? []
        warnings += try base.companions?.checkTemplates(reader) ?? []
        warnings += try base.companions?.checkEnds(reader) ?? []
        warnings += try base.companions?.checkProcessor(reader) ?? []
        warnings += try base.companions?.checkModules(reader) ?? []
        if let adapter { warnings += try base.companions?.checkName(adapter.configuration) ?? [] }
        warnings += parameters.warnings(of: checkpoint, isAdapter: adapter != nil)
        let examples = try examples(&reader, settings, classes: parameters.classes(checkpoint))
        files += examples.files
        warnings += examples.warnings
        // What an adapter holds whole starts anywhere as often as at the base's values; names and shapes tell its base.
        let reading = try reader.read(
            checkpoint, extent, comparing: adapter == nil ? parameters : nil, ties: base.ties)
        files += reading.files
        let hasHead = hasHead(checkpoint, parameters)
        var labels: LabelNames?
        if let size = listing.files[HeadConfiguration.fileName]?.size, size <= HeadConfiguration.longest {
            if hasHead {
                files.append(try reader.read(HeadConfiguration.fileName).file)
            } else {
                labels = try sharedLabels(reader)
            }
        }
        let values = ValueCheck(parameters: parameters, checkpoint: checkpoint, adapter: adapter, hasHead: hasHead)
        try values.check(reading)
        if let warning = ValueCheck.warning(of: reading.zeroed) { warnings.append(warning) }
        if let warning = ValueCheck.warning(ofTurned: reading.turned) { warnings.append(warning) }
        files.sort { $0.name < $1.name }
        let source = TaskSource(
            name: name, directory: listing.place.path, files: files, digest: UploadReader.digest(files),
            settings: settings, warnings: warnings, examples: examples.encoded)
        return AcceptedTask(
            source: source, examples: examples.count, isLabelled: examples.isLabelled, sharedLabels: labels)
    }

    /// The names of the classes of a head that is merged. Throws where the base's classes have other names.
    private func sharedLabels(_ reader: UploadReader) throws(AdmissionFault) -> LabelNames? {
        let bytes = try reader.contentsIfPresent(HeadConfiguration.fileName)
        guard let own = bytes.flatMap({ LabelNames(configuration: $0) }) else { return nil }
        if let base = base.description.labels, let fault = own.fault(against: base, of: "the base's") { throw fault }
        return own
    }

    /// Whether a release has a tensor of this task alone, which its configuration then describes.
    private func hasHead(_ checkpoint: Checkpoint, _ parameters: ParameterCheck) -> Bool {
        checkpoint.names.contains { name in
            parameters.isHead(name) || base.tied(name).allSatisfy { base.checkpoint.entry($0) == nil }
        }
    }

    /// What the task holds whole, by the base's names, after every check of names and shapes.
    private func checkpoint(
        _ reader: UploadReader, _ parameters: ParameterCheck
    ) throws(AdmissionFault) -> (Checkpoint, Adapter?) {
        if reader.hasAdapter {
            let adapter = try reader.adapter(parameters)
            try parameters.check(adapter)
            return (adapter.checkpoint, adapter)
        }
        guard !needsAdapters else {
            throw .refused(
                code: "no-adapter",
                message:
                    "it holds full weights, and releases are to be written as one adapter; upload an adapter, or set "
                    + "merge.adapter to false")
        }
        let checkpoint = try reader.checkpoint().fitted(
            to: base.checkpoint, tied: base.tied, isNeeded: { !parameters.isHead($0) && !base.isSpare($0) },
            isUsed: { base.isUsed($0) || parameters.isHead($0) })
        try parameters.check(checkpoint)
        return (checkpoint, nil)
    }
}
