import ExportedGraph
import Safetensors

extension ValidationCheck {
    /// Padding before a text, where the graph says that it would be another text so. A row that shows nothing is none:
    /// a choice that an example does not have looks like that.
    func checkPadding(_ signature: GraphSignature, _ file: SafetensorsFile) throws(AdmissionFault) {
        for slot in signature.inputs where slot.rule.isPaddedAtEnd {
            guard let mask = file.entry(slot.name), let width = mask.shape.last, mask.shape.count > 1, width > 0 else {
                continue
            }
            let size = mask.shape.dropFirst().reduce(1, *)
            var place = 0
            var startsHidden = false
            var wrong: Int?
            try read(mask, file) { value in
                defer { place += 1 }
                if place % width == 0 { startsHidden = value == 0 }
                if startsHidden, value != 0, wrong == nil { wrong = place / size }
            }
            guard let example = wrong else { continue }
            throw refusal(
                "padded-at-start",
                "`\(slot.name)` of example \(example) (the first is 0) has its padding before the text, and the model "
                    + "reads texts from their first token on; pad at the end (padding_side \"right\" of the tokenizer)")
        }
    }
}
