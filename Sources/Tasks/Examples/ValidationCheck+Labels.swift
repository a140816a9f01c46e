import ExportedGraph
import Files
import Safetensors
import WorkerProtocol

extension ValidationCheck {
    /// Labels with this value are not scored.
    static let ignored: Int64 = -100

    /// Classes that an integer of the labels may name: the vocabulary where tokens are predicted.
    private var outputs: Int? { objective.predictsTokens ? vocabulary : classes }
    private var vocabulary: Int? { signature?.output.last ?? nil }

    /// Whether a causal model predicts the labels, so that the first one of each example is never scored.
    private var isCausal: Bool {
        objective.mayDecode && signature?.inputs.contains { $0.name == Self.decoderInputs } == false
    }

    func checkObjective(_ signature: GraphSignature) throws(AdmissionFault) {
        let takesTargets = signature.inputs.contains { $0.name == Self.decoderInputs }
        guard objective != .sequenceToSequence || takesTargets else {
            throw .refused(
                code: "wrong-objective",
                message:
                    "\(UploadRules.settings): objective sequence-to-sequence needs a graph that takes \(Self.decoderInputs), and "
                    + "the base's takes \(signature.inputs.map(\.name).firstFew); set objective to language-modeling")
        }
        let givesTokens = signature.output.isEmpty || signature.output.count == 3
        guard givesTokens || !objective.labelsTokens && objective != .multipleChoice else {
            let export = objective == .tokenClassification ? "token-classification" : "causal-lm"
            throw .refused(
                code: "wrong-objective",
                message:
                    "\(UploadRules.settings): objective \(objective.rawValue) needs a prediction for each token, and the base's "
                    + "graph gives \(signature.output.count) axes; export the base's graph.pt2 with Tools/export_model.py "
                    + "--task \(export), or set another objective")
        }
    }

    /// Whether an input that is not in the file is made out of the targets.
    func isMade(_ input: String, _ file: SafetensorsFile) -> Bool {
        let targets = objective == .multipleChoice ? Self.choices : Self.labels
        return input == Self.decoderInputs && objective.mayDecode && decoderStart != nil && file.entry(targets) != nil
    }

    /// The axes of an input behind the examples', and behind the choices' where it has one.
    func rest(of entry: TensorEntry, _ slot: GraphSignature.Slot, _ file: SafetensorsFile) -> [Int] {
        let choices = file.entry(Self.choices)?.shape.dropFirst().first
        let hasChoices =
            objective == .multipleChoice && entry.shape.count == slot.shape.count + 1 && entry.shape.count > 1
            && entry.shape[1] == choices
        return Array(entry.shape.dropFirst(hasChoices ? 2 : 1))
    }

    func checkLabels(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        try checkColumns(labels, file)
        guard objective != .regression else { return }
        guard labels.dtype.kind == .integer else {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.dtype.rawValue), but \(objective.rawValue) needs integers; "
                    + "convert them, or set `objective: regression` in task.yaml")
        }
        guard objective.labelsTokens else {
            guard labels.shape.count == 1 else {
                throw refusal(
                    "wrong-labels", "`labels` are \(labels.shape), but \(objective.rawValue) needs one label an example"
                )
            }
            return try checkRange(labels, file)
        }
        guard labels.shape.count == 2 else {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but \(objective.rawValue) needs a label for each token, [examples, tokens]"
            )
        }
        let tokens = file.entry(isCausal || objective == .tokenClassification ? "input_ids" : Self.decoderInputs)
        if let tokens, tokens.shape.count == 2, tokens.shape != labels.shape {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but `\(tokens.name)` is \(tokens.shape); give one label for each token, "
                    + "\(Self.ignored) where it is not scored")
        }
        try checkRange(labels, file)
    }

    /// Several flags an example are classes that don't exclude each other: their logits were trained on the binary cross entropy,
    /// and neither the loss of classes nor that of numbers fits them.
    private func checkColumns(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        let takesColumns = objective == .regression || objective == .classification
        guard takesColumns, labels.shape.count == 2, labels.shape[1] > 1 else { return }
        let areFlags: Bool
        do throws(SafetensorsError) {
            areFlags = try file.holdsOnlyFlags(labels)
        } catch {
            throw AdmissionFault(error)
        }
        guard areFlags else { return }
        throw refusal(
            "wrong-labels",
            "`labels` are \(labels.shape) of zeros and ones alone, which is multi-label classification, and that is not "
                + "supported; give one class an example, or make a task of each class")
    }

    /// Labels that the model has an output for, and for each example with a label at each token one that is scored.
    private func checkRange(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        let width = labels.shape.dropFirst().reduce(1, *)
        let limit = outputs.map(Int64.init) ?? .max
        let mayBeIgnored = objective.labelsTokens
        let ignored = Self.ignored
        var place = 0
        var wrong: (place: Int, label: Int64)?
        var lastScored = -1
        var blank: Int?
        try read(labels, file) { label in
            defer { place += 1 }
            let example = place / max(1, width)
            if !(mayBeIgnored && label == ignored), wrong == nil, label < 0 || label >= limit { wrong = (place, label) }
            if label != ignored, place % max(1, width) > 0 || !isCausal { lastScored = example }
            if place % max(1, width) == width - 1, lastScored < example, blank == nil { blank = example }
        }
        if let wrong {
            throw refusal(
                "labels-outside-head",
                "`labels` of example \(wrong.place / max(1, width)) (the first is 0) hold \(wrong.label), but the "
                    + "\(objective.predictsTokens ? "vocabulary" : "head") knows "
                    + "\(outputs.map { "0 to \($0 - 1)" } ?? "0 and more")\(mayBeIgnored ? " (\(ignored) is not scored)" : ""); "
                    + "number them as \(objective.predictsTokens ? "the tokenizer" : "the head") does")
        }
        if let blank, mayBeIgnored {
            throw refusal(
                "wrong-labels",
                "every one of the `labels` of example \(blank) (the first is 0) is \(ignored), which is not scored"
                    + "\(isCausal ? ", or its first token's, which nothing predicts" : ""); label it, or leave it out")
        }
    }

    /// The tokens of the choices, the right one of which must be there.
    func checkChoices(_ file: SafetensorsFile) throws(AdmissionFault) {
        guard let choices = file.entry(Self.choices) else {
            throw refusal(
                "missing-input",
                "it has no tensor `\(Self.choices)`; give the tokens of the choices, [examples, choices, tokens], "
                    + "\(Self.ignored) where none is scored")
        }
        guard choices.dtype.kind == .integer, choices.shape.count == 3, choices.shape[1] > 1 else {
            throw refusal(
                "wrong-labels",
                "`\(Self.choices)` is \(choices.dtype.rawValue) \(choices.shape); give integers [examples, choices, tokens] "
                    + "for two choices or more")
        }
        let (count, length) = (choices.shape[1], choices.shape[2])
        var right: [Int64] = []
        if let labels = file.entry(Self.labels), labels.dtype.kind == .integer, labels.shape == [choices.shape[0]] {
            try read(labels, file) { right.append($0) }
        }
        if let place = right.firstIndex(where: { $0 < 0 || $0 >= count }) {
            throw refusal(
                "labels-outside-head",
                "the label of example \(place) (the first is 0) is \(right[place]), but there are \(count) choices, 0 to "
                    + "\(count - 1); number them as `\(Self.choices)` does")
        }
        let limit = vocabulary.map(Int64.init) ?? .max
        var place = 0
        var wrong: (place: Int, token: Int64)?
        var isThere = [Bool](repeating: false, count: choices.shape[0] * count)
        let (isCausal, ignored) = (isCausal, Self.ignored)
        try read(choices, file) { token in
            defer { place += 1 }
            if token != ignored, token < 0 || token >= limit, wrong == nil { wrong = (place, token) }
            if token >= 0, !isCausal || place % length > 0 { isThere[place / length] = true }
        }
        if let wrong {
            throw refusal(
                "labels-outside-head",
                "`\(Self.choices)` of example \(wrong.place / (count * length)) (the first is 0) hold \(wrong.token), but the "
                    + "vocabulary is \(vocabulary.map { "0 to \($0 - 1)" } ?? "0 and more"); number the tokens as the "
                    + "tokenizer does, \(ignored) where none is scored")
        }
        for example in 0..<choices.shape[0] {
            let wanted = right.isEmpty ? (0..<count).first { isThere[example * count + $0] } : Int(right[example])
            guard wanted.map({ isThere[example * count + $0] }) != true else { continue }
            throw refusal(
                "wrong-labels",
                "of example \(example) (the first is 0) \(right.isEmpty ? "no choice" : "the right choice, \(right[example]),") "
                    + "\(right.isEmpty ? "has" : "has not") a token that is scored; give its tokens in `\(Self.choices)`"
            )
        }
    }

    func read(
        _ entry: TensorEntry, _ file: SafetensorsFile, _ body: (Int64) -> Void
    ) throws(AdmissionFault) {
        do throws(SafetensorsError) {
            try file.forEachInteger(of: entry, body)
        } catch {
            throw AdmissionFault(error)
        }
    }
}
