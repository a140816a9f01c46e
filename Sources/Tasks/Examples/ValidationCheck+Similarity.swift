import ExportedGraph
import Safetensors

/// Pairs of texts: inputs [examples, 2, tokens], and one score each.
extension ValidationCheck {
    /// The axes of an input, with that of a pair's texts where there is one.
    func wanted(_ slot: GraphSignature.Slot) -> [Int?] {
        objective == .similarity ? slot.shape.prefix(1) + [2] + slot.shape.dropFirst() : slot.shape
    }

    func checkEmbedding(_ signature: GraphSignature) throws(AdmissionFault) {
        guard let fault = signature.embeddingFault else { return }
        throw .refused(
            code: "wrong-objective",
            message:
                "\(TaskLayout.settings): objective similarity needs an embedding of each text, and \(fault); save the "
                + "base with sentence-transformers (modules.json: a Transformer, a Pooling), or give it a graph.pt2 "
                + "whose one output is the embedding, [texts, width]")
    }

    /// A cosine reaches no score outside of −1 to 1.
    func checkScores(_ labels: TensorEntry, _ file: SafetensorsFile) throws(AdmissionFault) {
        guard labels.shape.count == 1 || labels.shape.count == 2 && labels.shape[1] == 1 else {
            throw refusal("wrong-labels", "`labels` are \(labels.shape), but similarity needs one score a pair")
        }
        var scores: [Double] = []
        if labels.dtype.kind == .integer {
            try read(labels, file) { scores.append(Double($0)) }
        } else {
            do throws(SafetensorsError) {
                scores = try file.elements(of: labels)
            } catch {
                throw AdmissionFault(error)
            }
        }
        guard let example = scores.firstIndex(where: { !(-1...1).contains($0) }) else { return }
        throw refusal(
            "wrong-labels",
            "the score of example \(example) (the first is 0) is \(scores[example]), which no cosine reaches; scale "
                + "the scores to 0 to 1 (those of STS by 1/5)")
    }
}
