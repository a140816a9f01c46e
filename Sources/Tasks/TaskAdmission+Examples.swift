import ExportedGraph
import Files
import ModelFamilies
import Safetensors
import WorkerProtocol

extension TaskAdmission {
    /// What a task is judged by.
    struct Examples {
        var count = 0
        var isLabelled = true
        /// The files that hold them, images among them; none without examples.
        var files: [SourceFile] = []
        /// Where they came as a table: the tensors.
        var encoded: EncodedExamples?
        var warnings: [String] = []
    }

    /// Checks the examples in the folder, be they tensors or a table.
    func examples(
        _ reader: inout UploadReader, _ settings: TaskSettings, classes: Int?
    ) throws(AdmissionFault) -> Examples {
        guard readsExamples else { return Examples() }
        let isMasked = base.description.head == FamilyHead.maskedLanguage.rawValue
        if isMasked, settings.objective == .languageModeling {
            throw .refused(
                code: "wrong-objective",
                message:
                    "\(TaskLayout.settings): objective language-modeling predicts the next token, and the model "
                    + "predicts masked ones; set objective to masked-language-modeling")
        }
        var found = Examples()
        if let table = try ExampleEncoder.table(in: reader.listing) {
            if let content = FileContent(try reader.open(table)) { throw content.fault(in: table) }
            let source = try reader.read(table).file
            let (encoded, file, images) = try encode(source, &reader, settings)
            (found.count, found.isLabelled) = try check(settings, classes, name: table).check(file)
            (found.files, found.encoded) = ([source] + images, encoded)
            found.warnings = Self.warnings(of: file, table, found.count)
        } else if ExampleFiles.areClassified(reader.listing.files.keys) {
            let (encoded, file, images) = try encode(.classFolders, &reader, settings)
            guard encoded.encoding.image != nil else { throw .missingExamples }
            (found.count, found.isLabelled) = try check(settings, classes, name: ExampleFiles.classFolders).check(file)
            (found.files, found.encoded) = (images, encoded)
        } else if reader.listing.files[TaskLayout.examples] != nil {
            (found.count, found.isLabelled) = try check(settings, classes).check(&reader)
            found.files = [try reader.read(TaskLayout.examples).file]
        } else if requiresExamples {
            throw reader.listing.files.keys.contains(where: ExampleFiles.isImage) ? .missingTable : .missingExamples
        }
        let metric = settings.metric ?? Metric(of: settings.objective)
        if metric.isOfTexts, settings.objective.predictsTokens, found.isLabelled,
            base.listing.files[BaseFiles.tokenizer] == nil
        {
            throw .missingTokenizer(metric)
        }
        return found
    }

    private func check(
        _ settings: TaskSettings, _ classes: Int?, name: String = TaskLayout.examples
    ) -> ValidationCheck {
        ValidationCheck(
            signature: base.signature, objective: settings.objective, classes: classes,
            needsLabels: labelled.contains(settings.objective), decoderStart: base.description.decoderStart,
            metric: settings.metric ?? Metric(of: settings.objective), name: name)
    }

    /// The tensors of the table in a folder, and the images that they were made of.
    func encode(
        _ table: SourceFile, _ reader: inout UploadReader, _ settings: TaskSettings
    ) throws(AdmissionFault) -> (examples: EncodedExamples, file: SafetensorsFile, images: [SourceFile]) {
        guard let encoder else {
            throw .unreadable("\(table.name): nothing here encodes examples; provide \(TaskLayout.examples)")
        }
        let names = reader.listing.files.keys.filter(ExampleFiles.isImage).sorted()
        let image = Self.image(base.signature, hasImages: !names.isEmpty)
        var images: [SourceFile] = []
        if image != nil { for name in names { images.append(try reader.read(name).file) } }
        var baseReader = UploadReader(listing: base.listing, memory: reader.memory)
        var tokenizer: [SourceFile] = []
        let wanted =
            image == nil ? ExampleRequest.tokenizerFiles(for: settings.objective) : ExampleRequest.processorFiles
        for name in wanted where base.listing.files[name] != nil {
            tokenizer.append(try baseReader.read(name).file)
        }
        reader.memory = baseReader.memory
        let encoding = ExampleEncoding(
            settings, classes: try classNames(reader, baseReader),
            inputs: image.map { Self.inputs(base.signature, ofImage: $0) } ?? Self.inputs(base.signature), image: image)
        let (examples, file) = try encoder.encode(
            table, images, of: reader.listing.place, base: base.listing.place, tokenizer: tokenizer, encoding)
        return (examples, file, images)
    }

    /// The input of the graph that takes images: `pixel_values`, or else its only one of four axes of numbers. Without
    /// a graph nothing is scored, and images are those of the usual input.
    private static func image(_ signature: GraphSignature?, hasImages: Bool) -> ExampleEncoding.ImageInput? {
        let usual = "pixel_values"
        guard let signature else { return hasImages ? .init(name: usual) : nil }
        let slots = signature.inputs.filter {
            $0.shape.count == 4 && SafetensorsDType.kind(ofTorch: $0.dtype) == .real
        }
        guard let slot = slots.first(where: { $0.name == usual }) ?? (slots.count == 1 ? slots[0] : nil) else {
            return nil
        }
        return .init(name: slot.name, channels: slot.shape[1], height: slot.shape[2], width: slot.shape[3])
    }

    /// What must be given beside the image is refused by name.
    private static func inputs(
        _ signature: GraphSignature?, ofImage image: ExampleEncoding.ImageInput
    ) -> [ExampleEncoding.Input] {
        (signature?.inputs.filter { $0.rule.zerosLike == nil }.map(\.name) ?? [image.name]).map { .init(name: $0) }
    }

    /// What the classes are called: by the task's config.json, or without one by the base's.
    private func classNames(_ task: UploadReader, _ base: UploadReader) throws(AdmissionFault) -> [String] {
        for reader in [task, base] {
            guard let bytes = try reader.contentsIfPresent(HeadConfiguration.fileName) else { continue }
            return HeadConfiguration(bytes)?.classNames ?? []
        }
        return []
    }

    /// Without a graph nothing is scored, and the inputs are those of most.
    private static func inputs(_ signature: GraphSignature?) -> [ExampleEncoding.Input] {
        guard let signature else { return ["input_ids", "attention_mask"].map { .init(name: $0) } }
        return signature.inputs.map { .init(name: $0.name, width: $0.shape.count == 2 ? $0.shape[1] : nil) }
    }

    private static func warnings(of file: SafetensorsFile, _ table: String, _ count: Int) -> [String] {
        if let unused = file.metadata["unused-images"].flatMap({ Int($0) }), unused > 0 {
            return ["\(table) does not name \(unused) of the images, which do not count"]
        }
        guard let cut = file.metadata["cut"].flatMap({ Int($0) }), cut > 0 else { return [] }
        let maximum = file.metadata["max-length"] ?? "?"
        return [
            "\(cut) of \(count) examples of \(table) are longer than \(maximum) tokens and are cut there; `max-length` "
                + "in \(TaskLayout.settings) sets the limit"
        ]
    }
}
