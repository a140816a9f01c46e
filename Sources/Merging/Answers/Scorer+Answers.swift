internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

/// The texts that a set's questions are about.
struct AnswerColumns {
    private let offsets: ExampleColumn
    private let texts: ExampleColumn
    /// Whether some question has no answer.
    let hasUnanswerable: Bool

    /// Nil where the file has none. Throws where they are not what `AnswerTensors` says.
    init?(_ file: SafetensorsFile, task: String, isResident: Bool) throws {
        guard let offsets = file.entry(AnswerTensors.offsets), let texts = file.entry(AnswerTensors.texts) else {
            return nil
        }
        self.offsets = try ExampleColumn(file, offsets, task: task, isResident: isResident)
        self.texts = try ExampleColumn(file, texts, task: task, isResident: isResident)
        var hasUnanswerable = false
        for example in 0..<(texts.shape.first ?? 0) {
            if try Self.text(self.texts, example, task).answers.isEmpty { hasUnanswerable = true }
        }
        self.hasUnanswerable = hasUnanswerable
    }

    /// Bytes in memory.
    var residentBytes: Int { offsets.residentBytes + texts.residentBytes }

    func row(_ example: Int) throws -> (text: AnswerText, offsets: [Int64]) {
        (try Self.text(texts, example, nil), try offsets.rows([example]).to(.int64).integers())
    }

    private static func text(_ column: ExampleColumn, _ example: Int, _ task: String?) throws -> AnswerText {
        let bytes = try column.rows([example]).to(.int64).integers().map { UInt8(truncatingIfNeeded: $0) }
        guard let text = AnswerText(bytes) else {
            throw MergeError.task(
                task ?? "",
                "`\(AnswerTensors.texts)` of example \(example) (the first is 0) is not the JSON of a "
                    + "context and its answers; expected {\"context\": TEXT, \"answers\": [TEXT, …]}")
        }
        return text
    }
}

extension Scorer {
    /// The answers that a model marks, out of its scores of each token, [examples, 2, tokens], for some examples.
    static func answers(
        _ logits: Tensor, _ answers: AnswerColumns, _ examples: [Int], _ metric: Metric
    ) throws -> [JudgedText] {
        let tokens = logits.shape.last ?? 0
        let scores = try logits.to(.float32).floats()
        guard logits.shape == [examples.count, 2, tokens] else {
            throw LabelFault.noPositions(shape: logits.shape)
        }
        let spans = AnswerSpans(allowsNone: answers.hasUnanswerable)
        return try examples.enumerated().map { place, example in
            let (text, offsets) = try answers.row(example)
            let first = 2 * place * tokens
            let marked = spans.text(
                starts: scores[first..<first + tokens], ends: scores[first + tokens..<first + 2 * tokens],
                offsets: offsets, text.context)
            let references = text.answers.isEmpty ? [""] : text.answers
            return JudgedText(
                example: example, text: marked, references: references,
                value: TextMetric.value(metric, marked, references: references))
        }
    }
}
