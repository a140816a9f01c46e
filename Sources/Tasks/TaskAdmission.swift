import Safetensors
package import WorkerProtocol

/// Decides whether a folder is a task checkpoint that can be merged onto the base.
package struct TaskAdmission {
    /// Least cosine between the trunk's matrices of a task and of its base. Fine-tunes lie far above: 0.979 to 0.992 for the
    /// four full fine-tunes of a small vision transformer, 0.9988 to 0.9993 for four folded adapters of a MiniLM. A model of
    /// the same architecture that was trained apart from the base lies near 0 (0.001 with the base's own values shuffled).
    static let leastCosine = 0.5

    let base: BaseModel
    let requiresValidation: Bool
    /// Objectives whose examples must be labelled.
    let labelled: Set<TaskSettings.Objective>
    /// Whether releases are written as one adapter, too, so that full weights are of no use.
    let needsAdapters: Bool

    package init(
        base: BaseModel, requiresValidation: Bool, labelled: Set<TaskSettings.Objective>, needsAdapters: Bool
    ) {
        self.base = base
        self.requiresValidation = requiresValidation
        self.labelled = labelled
        self.needsAdapters = needsAdapters
    }

    /// GiB that validation.safetensors may have; it is held in memory. Weights are bounded by the shapes of base and graph, to which
    /// their files' lengths are held before they are read.
    private static let mostValidation: Int64 = 4

    /// Reads the whole task. Throws why it is not accepted.
    package func admit(_ name: String, _ reader: inout UploadReader) throws(AdmissionFault) -> AcceptedTask {
        let listing = reader.listing
        let validationBytes = listing.files[UploadRules.validation]?.size ?? 0
        guard validationBytes >> 30 < Self.mostValidation else {
            throw .refused(
                code: "too-large",
                message:
                    "\(UploadRules.validation) has \(validationBytes >> 30) GiB, and at most \(Self.mostValidation) are read; "
                    + "drop a few hundred examples")
        }
        var files: [SourceFile] = []
        var settings = TaskSettings()
        if listing.files[UploadRules.settings] != nil {
            settings = try TaskSettingsFile.read(try reader.open(UploadRules.settings))
            files.append(try reader.read(UploadRules.settings).file)
        }
        let parameters = ParameterCheck(base: base, head: settings.head)
        let checkpoint = try checkpoint(reader, parameters)
        let validation = ValidationCheck(
            signature: base.signature, objective: settings.objective, classes: parameters.classes(checkpoint),
            needsLabels: labelled.contains(settings.objective), decoderStart: base.decoderStart)
        var (examples, isLabelled) = (0, true)
        if listing.files[UploadRules.validation] != nil {
            (examples, isLabelled) = try validation.check(&reader)
            files.append(try reader.read(UploadRules.validation).file)
        } else if requiresValidation {
            throw .refused(
                code: "missing-validation",
                message:
                    "no validation.safetensors; put examples there, or configure a method that learns nothing")
        }
        // What an adapter holds whole starts anywhere as often as at the base's values; names and shapes tell its base.
        let (weights, resemblance) = try reader.read(
            checkpoint, comparing: reader.hasAdapter ? nil : parameters, ties: base.ties)
        files += weights
        if hasHead(checkpoint, parameters), let size = listing.files[HeadConfiguration.fileName]?.size,
            size <= HeadConfiguration.longest
        {
            files.append(try reader.read(HeadConfiguration.fileName).file)
        }
        if let cosine = resemblance?.cosine, !(cosine >= Self.leastCosine) {
            let hundredths = (cosine * 100).rounded() / 100
            throw .refused(
                code: "another-base",
                message:
                    "its weights lie far from the base's (cosine \(hundredths), at least \(Self.leastCosine) is needed); "
                    + "it was fine-tuned from another base, or not at all: drop a fine-tune of this one")
        }
        files.sort { $0.name < $1.name }
        let source = TaskSource(
            name: name, directory: listing.place.path, files: files, digest: UploadReader.digest(files),
            settings: settings)
        return AcceptedTask(source: source, examples: examples, isLabelled: isLabelled)
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
    ) throws(AdmissionFault) -> Checkpoint {
        if reader.hasAdapter {
            let adapter = try reader.adapter(parameters)
            try parameters.check(adapter)
            return adapter.checkpoint
        }
        guard !needsAdapters else {
            throw .refused(
                code: "no-adapter",
                message:
                    "it holds full weights, and releases are to be written as one adapter; drop an adapter, or set "
                    + "merge.adapter to false")
        }
        let checkpoint = try reader.checkpoint().fitted(
            to: base.checkpoint, tied: base.tied, isNeeded: { !parameters.isHead($0) && !base.isSpare($0) })
        try parameters.check(checkpoint)
        return checkpoint
    }
}
