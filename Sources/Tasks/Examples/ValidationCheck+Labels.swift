import ExportedGraph
import Files
import Safetensors
import WorkerProtocol

extension ValidationCheck {
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
                    "\(TaskLayout.settings): objective sequence-to-sequence needs a graph that takes "
                    + "\(Self.decoderInputs), and the base's takes \(signature.inputs.map(\.name).firstFew); set "
                    + "objective to language-modeling")
        }
        if objective == .similarity { return try checkEmbedding(signature) }
        if objective == .questionAnswering { return try checkPositions(signature) }
        // Of an image there may be a prediction for each pixel.
        let axes = signature.output.count
        let givesTokens = axes == 0 || axes == 3 || axes > 3 && objective.classifiesTokens
        guard givesTokens || !objective.labelsTokens && objective != .multipleChoice else {
            let export = objective.labelsInputs ? "token-classification" : "causal-lm"
            throw .refused(
                code: "wrong-objective",
                message:
                    "\(TaskLayout.settings): objective \(objective.rawValue) needs a prediction for each token, and "
                    + "the base's graph gives \(axes) axes; export the base's graph.pt2 with Tools/export_model.py "
                    + "--task \(export), or set another objective")
        }
    }

    /// Whether an input that is not in the file is made out of the targets.
    func isMade(_ input: String, _ file: SafetensorsFile) -> Bool {
        // Without choices another rule says so.
        let isThere = objective == .multipleChoice || file.entry(Self.labels) != nil
        return input == Self.decoderInputs && objective.mayDecode && decoderStart != nil && isThere
    }

    /// The axes of an input behind the examples', and behind the choices' where it has one.
    func rest(of entry: TensorEntry, _ slot: GraphSignature.Slot, _ file: SafetensorsFile) -> [Int] {
        guard objective != .similarity else {
            let isPair = entry.shape.count == slot.shape.count + 1 && entry.shape[1] == 2
            return isPair ? Array(entry.shape.dropFirst(2)) : []
        }
        let choices = file.entry(Self.choices)?.shape.dropFirst().first
        let hasChoices =
            objective == .multipleChoice && entry.shape.count == slot.shape.count + 1 && entry.shape.count > 1
            && entry.shape[1] == choices
        return Array(entry.shape.dropFirst(hasChoices ? 2 : 1))
    }

    func checkLabels(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        try checkColumns(labels, file)
        if objective == .similarity { return try checkScores(labels, file) }
        guard objective != .regression else { return }
        guard objective != .multiLabel else { return try checkFlags(labels, file) }
        guard labels.dtype.kind == .integer else {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.dtype.rawValue), but \(objective.rawValue) needs integers; convert them, or set "
                    + "`objective: regression` in task.yaml")
        }
        guard objective != .questionAnswering else { return try checkSpans(labels, file) }
        guard objective.labelsTokens else {
            guard labels.shape.count == 1 else {
                throw refusal(
                    "wrong-labels", "`labels` are \(labels.shape), but \(objective.rawValue) needs one label an example"
                )
            }
            return try checkRange(labels, file)
        }
        let predictions = objective.labelsInputs ? signature?.output.dropLast() ?? [] : []
        guard labels.shape.count == max(2, predictions.count) else {
            let wanted = predictions.count > 2 ? "pixel, [examples, height, width]" : "token, [examples, tokens]"
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but \(objective.rawValue) needs a label for each \(wanted)")
        }
        // A graph that answers questions predicts two things of a text, whatever its length.
        if predictions.count == 2, let count = predictions[1] {
            guard labels.shape[1] == count else {
                throw refusal(
                    "wrong-labels",
                    "`labels` are \(labels.shape), but the graph predicts \(count) positions of each text; give the "
                        + "answer's first token and its last, [examples, \(count)]")
            }
            return try checkRange(labels, file)
        }
        let tokens = file.entry(isCausal || objective.labelsInputs ? "input_ids" : Self.decoderInputs)
        if let tokens, tokens.shape.count == 2, tokens.shape != labels.shape {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but `\(tokens.name)` is \(tokens.shape); give one label for each token, "
                    + "\(LabelFault.ignored) where it is not scored")
        }
        try checkRange(labels, file)
    }

    /// A flag for each class of the head.
    private func checkFlags(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        guard labels.shape.count == 2, classes.map({ labels.shape[1] == $0 }) ?? true else {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but multi-label needs a flag for each class, [examples, "
                    + "\(classes.map { "\($0)" } ?? "classes")]; give them, or set another objective in task.yaml")
        }
        let areFlags: Bool
        do throws(SafetensorsError) { areFlags = try file.holdsOnlyFlags(labels) } catch { throw AdmissionFault(error) }
        guard areFlags else {
            throw refusal(
                "wrong-labels", "`labels` hold other numbers than 0 and 1; multi-label needs a flag for each class")
        }
    }

    /// Several flags an example are classes that don't exclude each other: their logits were trained on the binary
    /// cross entropy, and neither the loss of classes nor that of numbers fits them.
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
            "`labels` are \(labels.shape) of zeros and ones alone, which is multi-label classification; set "
                + "`objective: multi-label` in task.yaml, or give one class an example")
    }

    /// Labels that the model has an output for, and for each example with a label at each token one that is scored.
    private func checkRange(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        let width = labels.shape.dropFirst().reduce(1, *)
        var scan = LabelScan(objective, width: width, outputs: outputs, isCausal: isCausal)
        try read(labels, file) { scan.add($0) }
        if let fault = scan.fault { throw fault.refusal(in: name) }
    }

    /// The tokens of the choices, the right one of which must be there.
    func checkChoices(_ file: SafetensorsFile) throws(AdmissionFault) {
        guard let choices = file.entry(Self.choices) else {
            throw refusal(
                "missing-input",
                "it has no tensor `\(Self.choices)`; give the tokens of the choices, [examples, choices, tokens], "
                    + "\(LabelFault.ignored) where none is scored")
        }
        guard choices.dtype.kind == .integer, choices.shape.count == 3, choices.shape[1] > 1 else {
            throw refusal(
                "wrong-labels",
                "`\(Self.choices)` is \(choices.dtype.rawValue) \(choices.shape); give integers [examples, choices, "
                    + "tokens] for two choices or more")
        }
        var right: [Int64]?
        if let labels = file.entry(Self.labels), labels.dtype.kind == .integer, labels.shape == [choices.shape[0]] {
            var values: [Int64] = []
            try read(labels, file) { values.append($0) }
            right = values
        }
        var scan = ChoiceScan(shape: choices.shape, labels: right, outputs: vocabulary, isCausal: isCausal)
        if scan.labelFault == nil { try read(choices, file) { scan.add($0) } }
        if let fault = scan.fault { throw fault.refusal(in: name) }
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
