package import ExportedGraph
import Files
package import Safetensors
package import WorkerProtocol

/// Checks a task's examples against the graph's inputs and the head.
package struct ValidationCheck {
    package static let labels = "labels"
    package static let choices = "choices"
    package static let decoderInputs = "decoder_input_ids"
    package static let fewest = 2

    /// What the file is called in messages.
    let name: String
    /// Nil without a graph: then only the examples' number is checked.
    let signature: GraphSignature?
    let objective: TaskSettings.Objective
    /// Classes that the head tells apart, where that is known.
    let classes: Int?
    /// Whether examples without labels are of no use.
    let needsLabels: Bool
    /// What the examples are judged by, where that may need more than labels.
    let metric: Metric?
    /// What the base says a decoder starts from; nil where it does not.
    let decoderStart: DecoderStart?

    package init(
        signature: GraphSignature?, objective: TaskSettings.Objective, classes: Int? = nil, needsLabels: Bool,
        decoderStart: DecoderStart?, metric: Metric? = nil, name: String = TaskLayout.examples
    ) {
        self.name = name
        self.signature = signature
        self.objective = objective
        self.classes = classes
        self.needsLabels = needsLabels
        self.decoderStart = decoderStart
        self.metric = metric
    }

    /// Gives the number of examples, and whether they are labelled.
    func check(_ reader: inout UploadReader) throws(AdmissionFault) -> (examples: Int, isLabelled: Bool) {
        let file = try reader.safetensors(TaskLayout.examples)
        let found = try check(file)
        if let tensor = try reader.read(TaskLayout.examples, entries: file.entries).record.notFinite {
            throw AdmissionFault.notFinite(tensor, in: TaskLayout.examples)
        }
        return found
    }

    /// The same without a search for NaN.
    package func check(_ file: SafetensorsFile) throws(AdmissionFault) -> (examples: Int, isLabelled: Bool) {
        let labels = file.entry(Self.labels)
        guard labels != nil || !needsLabels else {
            throw refusal(
                "missing-labels",
                "it has no tensor `labels`, which the configured loss needs for \(objective.rawValue); add one label "
                    + "an example, or configure `loss: distillation`")
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
        if objective == .questionAnswering { try checkAnswers(file) }
        if let labels { try checkLabels(labels, file) }
        return (examples, labels != nil)
    }

    /// Names of the inputs that a file of examples gives: all, but those that it lacks and that are zeros without it.
    /// Throws where it holds a tensor that the graph does not take, which would make no difference to anything, or
    /// lacks one.
    package func inputNames(of file: SafetensorsFile) throws(AdmissionFault) -> [String] {
        try checkInputs(file)
        return (signature?.inputs ?? []).filter { $0.rule.zerosLike == nil || file.entry($0.name) != nil }.map(\.name)
    }

    private func checkInputs(_ file: SafetensorsFile) throws(AdmissionFault) {
        guard let signature else { return }
        try checkObjective(signature)
        let inputs = Dictionary(signature.inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let own =
            switch objective {
            case .multipleChoice: [Self.labels, Self.choices]
            case .questionAnswering: [Self.labels] + AnswerTensors.all
            default: [Self.labels]
            }
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
            let start =
                missing.contains(Self.decoderInputs) && objective.mayDecode
                ? ", or give the base's config.json a decoder_start_token_id to make it with" : ""
            throw refusal(
                "missing-input",
                "it lacks the graph's input \(missing.firstFew); add one tensor for each input\(start)")
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
                        + "[\(wanted(slot).map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", "))]; prepare the "
                        + "examples anew"
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
        .refused(code: code, message: "\(name): \(message)")
    }
}
