internal import Files
internal import Tokenizers

/// Questions with choices, one of which is right: `choices` [examples, choices, tokens], −100 where nothing is scored.
///
/// With an encoder and a decoder the inputs are the questions, [examples, tokens]; with a causal model each choice
/// stands behind its question, [examples, choices, tokens]. An example with fewer choices than another one has rows of
/// padding.
extension TextEncoder {
    /// Most choices of an example.
    private static let most = 256

    func choices(_ table: ExampleTable) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns.choices(table, named: columns)
        let isEncoderDecoder = inputs.contains("decoder_input_ids")
        var questions: [[Int32]] = []
        var answers: [[[Int32]]] = []
        var labels: [Int32] = []
        for row in table.rows {
            let (texts, names) = try list(table, row, columns)
            let question = try table.text(row, columns.text)
            let start = try tokens(table, row) { () throws(TokenizerError) in try tokenizer.encode(question) }
            questions.append(start.ids.map(Int32.init))
            var encoded: [[Int32]] = []
            for text in texts {
                let answer = try tokens(table, row) { () throws(TokenizerError) in
                    try tokenizer.encode(text, addsSpecialTokens: isEncoderDecoder)
                }
                guard !answer.ids.isEmpty else {
                    throw .example(
                        file: table.file, line: row.line, reason: "a choice without tokens: \"\(shown(text))\"")
                }
                encoded.append(answer.ids.map(Int32.init))
            }
            let longest = (encoded.map(\.count).max() ?? 0) + (isEncoderDecoder ? 0 : start.ids.count)
            guard max(longest, start.ids.count) <= maximum else {
                throw .example(
                    file: table.file, line: row.line,
                    reason:
                        "\(max(longest, start.ids.count)) tokens; expected at most \(maximum), because a choice that "
                        + "is cut would be another one")
            }
            answers.append(encoded)
            guard let column = columns.label, let label = row.values[column], label != .null else { continue }
            labels.append(try Self.index(of: label, texts, names, table, row))
        }
        guard labels.isEmpty || labels.count == table.rows.count else {
            throw .set("\(table.file): some examples have an answer and some have none; expected all or none")
        }
        var encoded = Encoded(labels: labels.isEmpty ? .none : .classes(labels))
        encoded.choiceCount = answers.map(\.count).max() ?? 0
        encoded.inputsHaveChoices = !isEncoderDecoder
        isEncoderDecoder ? setDecoded(questions, answers, &encoded) : setCausal(questions, answers, &encoded)
        return encoded
    }

    private func setDecoded(_ questions: [[Int32]], _ answers: [[[Int32]]], _ encoded: inout Encoded) {
        let width = widths["decoder_input_ids"] ?? answers.joined().map(\.count).max() ?? 0
        encoded.choices = answers.flatMap { choices in
            (0..<encoded.choiceCount).map { index in
                let choice = index < choices.count ? choices[index] : []
                return choice + Array(repeating: -100, count: width - choice.count)
            }
        }
        set(questions, types: questions.map { $0.map { _ in 0 } }, &encoded)
    }

    private func setCausal(_ questions: [[Int32]], _ answers: [[[Int32]]], _ encoded: inout Encoded) {
        var (rows, scored): ([[Int32]], [[Int32]]) = ([], [])
        for (question, choices) in zip(questions, answers) {
            for index in 0..<encoded.choiceCount {
                guard index < choices.count else {
                    rows.append([])
                    scored.append([])
                    continue
                }
                rows.append(question + choices[index])
                scored.append(Array(repeating: -100, count: question.count) + choices[index])
            }
        }
        let width = widths["input_ids"] ?? rows.map(\.count).max() ?? 0
        encoded.choices = scored.map { $0 + Array(repeating: -100, count: width - $0.count) }
        set(rows, types: rows.map { $0.map { _ in 0 } }, &encoded)
    }

    /// The choices of a row, and what they are called where a data set gives them names: `{"text": […], "label": […]}`.
    private func list(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ columns: ExampleColumns
    ) throws(ExamplesError) -> (texts: [String], names: [String]) {
        let value = columns.choices.flatMap { row.values[$0] } ?? .null
        let items = value.members.isEmpty ? value.elements : value.members["text"]?.elements ?? []
        let texts = items.compactMap(\.text)
        let names = (value.members["label"]?.elements ?? []).compactMap(\.text)
        guard texts.count == items.count, (2...Self.most).contains(texts.count),
            names.isEmpty || names.count == texts.count
        else {
            throw .example(
                file: table.file, line: row.line,
                reason:
                    "invalid \(shown(columns.choices ?? "")): \(value.phrase); expected a list of two to \(Self.most) "
                    + "texts")
        }
        return (texts, names)
    }

    /// The right choice: its number from 0, its name, its text, or its letter from A on.
    private static func index(
        of value: JSONValue, _ texts: [String], _ names: [String], _ table: ExampleTable, _ row: ExampleTable.Row
    ) throws(ExamplesError) -> Int32 {
        var found: Int?
        if let number = value.integer {
            found = number
        } else if let text = value.text {
            let letters = texts.indices.prefix(26).map { String(UnicodeScalar(UInt8(65 + $0))) }
            found =
                names.firstIndex(of: text) ?? texts.firstIndex(of: text) ?? Int(text) ?? letters.firstIndex(of: text)
        }
        guard let found, texts.indices.contains(found) else {
            throw .example(
                file: table.file, line: row.line,
                reason:
                    "invalid answer: \(value.phrase); expected a number from 0 to \(texts.count - 1), or the text or "
                    + "the letter of a choice")
        }
        return Int32(found)
    }
}
