internal import Safetensors

extension ExamplePreview {
    /// The first pairs of texts, the second text behind a bar, with their scores.
    static func pairs(
        _ count: Int, of file: SafetensorsFile, _ folder: ExampleFolder
    ) throws(SafetensorsError) -> [ExamplePreview] {
        guard let ids = file.entry("input_ids"), ids.shape.count == 3, ids.shape[1] == 2, ids.dtype.kind == .integer
        else { return [] }
        let texts = try rows(ids, 2 * count, of: file)
        var masks: [[Int64]] = []
        if let mask = file.entry("attention_mask"), mask.shape == ids.shape, mask.dtype.kind == .integer {
            masks = try rows(mask, 2 * count, of: file)
        }
        var scores: [String] = []
        if let labels = file.entry("labels"), labels.dtype.isReal {
            scores = try file.elements(of: labels).prefix(count).map { "\(Float($0))" }
        }
        func shown(_ text: Int) -> [String] {
            texts[text].indices.filter { masks.isEmpty || masks[text][$0] != 0 }.map { token(texts[text][$0], folder) }
        }
        return (0..<texts.count / 2).map { pair in
            ExamplePreview(
                tokens: shown(2 * pair) + ["|"] + shown(2 * pair + 1),
                scored: scores.indices.contains(pair) ? scores[pair] : nil)
        }
    }
}
