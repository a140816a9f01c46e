import ExportedGraph
import Files
import Safetensors
import WorkerProtocol

/// Checks a task's examples against the graph's inputs and the head.
struct ValidationCheck {
    static let labels = "labels"
    static let choices = "choices"
    static let decoderInputs = "decoder_input_ids"
    static let fewest = 2

    /// Nil without a graph: then only the examples' number is checked.
    let signature: GraphSignature?
    let objective: TaskSettings.Objective
    /// Classes that the head tells apart, where that is known.
    let classes: Int?
    /// Whether examples without labels are of no use.
    let needsLabels: Bool
    /// What the base says a decoder starts from; nil where it does not.
    let decoderStart: DecoderStart?

    /// Gives the number of examples, and whether they are labelled.
    func check(_ reader: inout UploadReader) throws(AdmissionFault) -> (examples: Int, isLabelled: Bool) {
        let file: SafetensorsFile
        do {
            file = try SafetensorsFile(file: reader.open(UploadRules.validation))
        } catch {
            throw AdmissionFault(any: error)
        }
        let labels = file.entry(Self.labels)
        guard labels != nil || !needsLabels else {
            throw refusal(
                "missing-labels",
                "it has no tensor `labels`, which the configured loss needs for \(objective.rawValue); add one label an "
                    + "example, or configure `loss: distillation`")
        }
        try checkInputs(file)
        let counted = labels ?? file.entries.first
        let examples = counted?.shape.first ?? 0
        for entry in file.entries where entry.shape.first != examples || entry.shape.isEmpty {
            throw refusal(
                "example-count",
                "`\(entry.name.printable)` is \(entry.shape), but `\(counted?.name.printable ?? "")` has \(examples) "
                    + "examples; the first axis of every tensor counts them")
        }
        guard examples >= Self.fewest else {
            throw refusal("example-count", "it holds \(examples) examples, and \(Self.fewest) are the least; add more")
        }
        if let signature { try checkPadding(signature, file) }
        if objective == .multipleChoice { try checkChoices(file) }
        if let labels { try checkLabels(labels, file) }
        if let tensor = try reader.read(UploadRules.validation, entries: file.entries).record.notFinite {
            throw UploadReader.notFinite(tensor, in: UploadRules.validation)
        }
        return (examples, labels != nil)
    }

    private func checkInputs(_ file: SafetensorsFile) throws(AdmissionFault) {
        guard let signature else { return }
        try checkObjective(signature)
        let inputs = Dictionary(signature.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let own = objective == .multipleChoice ? [Self.labels, Self.choices] : [Self.labels]
        let unknown = file.entries.map(\.name).filter { !own.contains($0) && inputs[$0] == nil }
        guard unknown.isEmpty else {
            throw refusal(
                "unknown-input",
                "the graph has no input \(unknown.sorted().firstFew); its inputs are \(inputs.keys.sorted().firstFew)")
        }
        let missing = inputs.filter { name, slot in
            file.entry(name) == nil && slot.rule.zerosLike == nil && !isMade(name, file)
        }.keys.sorted()
        guard missing.isEmpty else {
            throw refusal(
                "missing-input", "it lacks the graph's input \(missing.firstFew); add one tensor for each input")
        }
        for entry in file.entries {
            guard let slot = inputs[entry.name] else { continue }
            let fits =
                rest(of: entry, slot, file).count == slot.shape.count - 1
                && zip(rest(of: entry, slot, file), slot.shape.dropFirst()).allSatisfy { $1 == nil || $0 == $1 }
            guard fits else {
                throw refusal(
                    "wrong-shape",
                    "`\(entry.name.printable)` is \(entry.shape), but the graph takes "
                        + "[\(slot.shape.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", "))]; prepare the examples anew"
                )
            }
            guard entry.dtype.kind == SafetensorsDType.kind(ofTorch: slot.dtype) else {
                throw refusal(
                    "wrong-dtype",
                    "`\(entry.name.printable)` is \(entry.dtype.rawValue), but the graph takes \(slot.dtype)")
            }
        }
    }

    func refusal(_ code: String, _ message: String) -> AdmissionFault {
        .refused(code: code, message: "\(UploadRules.validation): \(message)")
    }
}
