internal import Files
package import Safetensors
package import WorkerProtocol

/// A few examples of an encoded set as a person reads them, so that a wrong column, label or template is seen at a
/// glance.
package struct ExamplePreview: Codable, Hashable, Sendable {
    /// Tokens as strings, without padding; nil where the example is an image.
    package var tokens: [String]?
    /// Where the example is an image: its path below the task's folder, and its size in pixels.
    package var file: String?
    package var height: Int?
    package var width: Int?
    /// The label, or the tokens that are scored; nil where there is none.
    package var scored: String?

    /// The first `count` examples of a set of `input_ids`, of choices the right one; none of other inputs.
    package static func first(
        _ count: Int = 3, of file: SafetensorsFile, _ folder: ExampleFolder, classes: [String],
        _ objective: TaskSettings.Objective
    ) throws(SafetensorsError) -> [ExamplePreview] {
        guard objective != .similarity else { return try pairs(count, of: file, folder) }
        guard let ids = file.entry("input_ids"), (2...3).contains(ids.shape.count), ids.dtype.kind == .integer else {
            return []
        }
        let choices = file.entry("choices").flatMap { $0.shape.count == 3 && $0.dtype.kind == .integer ? $0 : nil }
        let each = choices?.shape[1] ?? 1
        let examples = min(count, ids.shape[0])
        var answers: [Int] = []
        if choices != nil, let labels = file.entry("labels"), labels.dtype.kind == .integer {
            answers = try Self.rows(labels, count, of: file).map { max(0, min(each - 1, Int($0.first ?? 0))) }
        }
        /// The row of an example, in a tensor with or without an axis for the choices.
        func row(_ rows: [[Int64]], _ example: Int, hasChoices: Bool) -> [Int64] {
            let answer = answers.indices.contains(example) ? answers[example] : 0
            let place = hasChoices ? example * each + answer : example
            return rows.indices.contains(place) ? rows[place] : []
        }
        let isEach = ids.shape.count == 3
        let rows = try Self.rows(ids, count * (isEach ? each : 1), of: file)
        var masks: [[Int64]] = []
        if let mask = file.entry("attention_mask"), mask.shape == ids.shape, mask.dtype.kind == .integer {
            masks = try Self.rows(mask, count * (isEach ? each : 1), of: file)
        }
        var scored = choices == nil ? try Self.scored(file, count, folder, classes, objective) : []
        if let choices {
            let texts = try Self.rows(choices, count * each, of: file)
            scored = (0..<examples).map { Self.words(row(texts, $0, hasChoices: true), folder) }
        }
        if objective == .questionAnswering { scored = try Self.answers(file, count, rows, folder) }
        return (0..<examples).map { index in
            let (tokens, mask) = (row(rows, index, hasChoices: isEach), row(masks, index, hasChoices: isEach))
            let shown = tokens.indices.filter { place in
                mask.indices.contains(place) ? mask[place] != 0 : tokens[place] != Int64(folder.padding)
            }
            return ExamplePreview(
                tokens: shown.map { Self.token(tokens[$0], folder) },
                scored: scored.indices.contains(index) ? scored[index] : nil)
        }
    }

    /// What is scored of each example.
    private static func scored(
        _ file: SafetensorsFile, _ count: Int, _ folder: ExampleFolder, _ classes: [String],
        _ objective: TaskSettings.Objective
    ) throws(SafetensorsError) -> [String] {
        guard let labels = file.entry("labels"), labels.dtype.kind == .integer else {
            return try Self.labels(file, count, classes) ?? []
        }
        if objective.predictsTokens { return try rows(labels, count, of: file).map { words($0, folder) } }
        guard objective == .multiLabel else { return try Self.labels(file, count, classes) ?? [] }
        return try rows(labels, count, of: file).map { row in
            let set = row.indices.filter { row[$0] != 0 }
                .map { classes.indices.contains($0) ? classes[$0] : "\($0)" }
            return set.isEmpty ? "none" : set.joined(separator: ", ")
        }
    }

    /// The answers of questions: their tokens, or that there is none where a special token stands for one.
    private static func answers(
        _ file: SafetensorsFile, _ count: Int, _ texts: [[Int64]], _ folder: ExampleFolder
    ) throws(SafetensorsError) -> [String] {
        guard let labels = file.entry("labels"), labels.shape.count == 2, labels.shape[1] == 2,
            labels.dtype.kind == .integer
        else { return [] }
        return zip(try rows(labels, count, of: file), texts).map { label, text in
            guard label[0] >= 0, label[0] <= label[1], label[1] < text.count else { return "no answer" }
            let answer = text[Int(label[0])...Int(label[1])]
            return answer.allSatisfy { folder.tokenizer.isSpecial(Int($0)) }
                ? "no answer" : words(Array(answer), folder)
        }
    }

    /// Classes by their names, or numbers; nil without labels.
    private static func labels(
        _ file: SafetensorsFile, _ count: Int, _ classes: [String]
    ) throws(SafetensorsError) -> [String]? {
        guard let labels = file.entry("labels") else { return nil }
        guard labels.dtype.kind == .integer else {
            return try file.elements(of: labels).prefix(count).map { "\($0)" }
        }
        return try Self.rows(labels, count, of: file).map { row in
            let values = row.filter { $0 != -100 }
            return values.map { classes.indices.contains(Int($0)) ? classes[Int($0)] : "\($0)" }
                .joined(separator: " ")
        }
    }

    private static func words(_ row: [Int64], _ folder: ExampleFolder) -> String {
        row.filter { $0 != -100 }.map { token($0, folder) }.joined(separator: " ")
    }

    static func token(_ id: Int64, _ folder: ExampleFolder) -> String {
        Int(exactly: id).flatMap { folder.tokenizer.token($0) } ?? "#\(id)"
    }

    /// The first rows of a tensor of integers, along its last axis; of one with a single axis its elements.
    static func rows(
        _ entry: TensorEntry, _ count: Int, of file: SafetensorsFile
    ) throws(SafetensorsError) -> [[Int64]] {
        let width = entry.shape.count > 1 ? entry.shape.last ?? 1 : 1
        let wanted = min(count, entry.elementCount / max(1, width))
        var rows: [[Int64]] = []
        var place = 0
        try file.forEachInteger(of: entry) { value in
            if place < wanted * width {
                if place % width == 0 { rows.append([]) }
                rows[rows.count - 1].append(value)
            }
            place += 1
        }
        return rows
    }

    /// The first images of a set, as its encoder noted them.
    package static func images(
        of file: SafetensorsFile, classes: [String]
    ) throws(SafetensorsError) -> [ExamplePreview] {
        let noted = file.metadata[ImageEncoder.previewKey] ?? ""
        guard let images = try? JSONValue(parsing: noted.utf8, .strict).elements else { return [] }
        let scored = try labels(file, images.count, classes) ?? []
        return images.enumerated().map { index, image in
            ExamplePreview(
                file: image.members["file"]?.text, height: image.members["height"]?.integer,
                width: image.members["width"]?.integer, scored: scored.indices.contains(index) ? scored[index] : nil)
        }
    }

    /// One line.
    package var text: String {
        let size = "\(width ?? 0) × \(height ?? 0) pixels"
        let example = file.map { "\(shown($0)), \(size)" } ?? (tokens ?? []).joined(separator: " ")
        return example + (scored.map { " → \($0)" } ?? ", no label")
    }
}
