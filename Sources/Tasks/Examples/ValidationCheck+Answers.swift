import ExportedGraph
import Files
import Safetensors
import WorkerProtocol

/// Questions, each with the first and the last token of its answer.
extension ValidationCheck {
    /// A graph that scores each token twice.
    func checkPositions(_ signature: GraphSignature) throws(AdmissionFault) {
        let output = signature.output
        guard output.isEmpty || output.count == 3 && (output[1] ?? 2) == 2 else {
            let shape = output.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
            throw .refused(
                code: "wrong-objective",
                message:
                    "\(TaskLayout.settings): objective question-answering needs a graph that gives [examples, 2, "
                    + "tokens], and the base's gives [\(shape)]"
                    + "; name a class that ends in ForQuestionAnswering under architectures in the task's config.json, "
                    + "or set another objective")
        }
    }

    /// The tensors that say what the tokens stand for: both or none, and both where words are compared.
    func checkAnswers(_ file: SafetensorsFile) throws(AdmissionFault) {
        let (offsets, texts) = (file.entry(AnswerTensors.offsets), file.entry(AnswerTensors.texts))
        guard let offsets, let texts else {
            if let lone = offsets ?? texts {
                throw refusal(
                    "missing-input",
                    "it has `\(lone.name)`, and \(AnswerTensors.all.joined(separator: " and ")) belong together; give "
                        + "both or none")
            }
            guard metric?.isOfTexts != true || file.entry(Self.labels) == nil else {
                throw LabelFault.noAnswerTexts(metric ?? .squadF1).refusal(in: name)
            }
            return
        }
        let tokens = file.entry("input_ids")?.shape.dropFirst().first ?? offsets.shape.dropFirst().first
        guard offsets.dtype.kind == .integer, offsets.shape.count == 3, offsets.shape[2] == 2,
            offsets.shape[1] == tokens
        else {
            throw refusal(
                "wrong-shape",
                "`\(offsets.name)` is \(offsets.dtype.rawValue) \(offsets.shape); give integers [examples, tokens, 2]")
        }
        guard texts.dtype == .u8, texts.shape.count == 2 else {
            throw refusal(
                "wrong-shape", "`\(texts.name)` is \(texts.dtype.rawValue) \(texts.shape); give U8 [examples, bytes]")
        }
    }

    /// Two tokens of each text.
    func checkSpans(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        guard labels.shape.count == 2, labels.shape[1] == 2 else {
            throw refusal(
                "wrong-labels",
                "`labels` are \(labels.shape), but question-answering needs the answer's first token and its last, "
                    + "[examples, 2]")
        }
        let tokens = file.entry("input_ids")?.shape.dropFirst().first
        var scan = LabelScan(objective, width: 2, outputs: tokens, isCausal: false)
        try read(labels, file) { scan.add($0) }
        if let fault = scan.fault { throw fault.refusal(in: name) }
    }
}
