internal import Files
internal import Tokenizers

/// Conversations: rendered by the base's chat template, −100 on everything but the assistant's turns.
extension TextEncoder {
    func conversations(
        _ table: ExampleTable, _ columns: ExampleColumns
    ) throws(ExamplesError) -> Encoded {
        guard !inputs.contains("decoder_input_ids") else {
            throw .set(
                "\(table.file): conversations are for models without an encoder: give a text and its completion")
        }
        let template = try template()
        var (ids, labels): ([[Int32]], [[Int32]]) = ([], [])
        var truncated = 0
        for row in table.rows {
            var (tokens, scored) = try encoded(messages(table, row, columns), template, table, row)
            if tokens.count > maximum {
                truncated += 1
                (tokens, scored) = (Array(tokens.prefix(maximum)), Array(scored.prefix(maximum)))
            }
            guard scored.contains(where: { $0 != -100 }) else {
                throw .example(
                    file: table.file, line: row.line,
                    reason: "no turn of the assistant within \(maximum) tokens; expected one that can be scored")
            }
            ids.append(tokens)
            labels.append(scored)
        }
        let width = widths["input_ids"] ?? ids.map(\.count).max() ?? 0
        let padded = labels.map { $0 + Array(repeating: -100, count: width - $0.count) }
        var encoded = Encoded(labels: .tokens(padded), truncated: truncated)
        set(ids, types: ids.map { $0.map { _ in 0 } }, &encoded)
        return encoded
    }

    /// The messages of a row: its conversation, or its prompt and completion as two turns.
    private func messages(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ columns: ExampleColumns
    ) throws(ExamplesError) -> [JSONValue] {
        guard let column = columns.messages else {
            let (prompt, answer) = (
                try table.text(row, columns.text), try table.text(row, columns.completion ?? columns.text)
            )
            return [
                .object(["role": "user", "content": .string(prompt)]),
                .object(["role": "assistant", "content": .string(answer)]),
            ]
        }
        guard case .array(let messages)? = row.values[column], !messages.isEmpty,
            messages.allSatisfy({ $0.members["role"]?.text != nil })
        else {
            throw .example(
                file: table.file, line: row.line,
                reason: "invalid \(column): expected a list of {\"role\": …, \"content\": …}")
        }
        return messages
    }

    /// Tokens of a conversation and what of them is scored. A turn of the assistant begins where the text of what is
    /// before it ends, with the beginning of an answer behind it, and ends where the text up to it ends.
    private func encoded(
        _ messages: [JSONValue], _ template: ChatTemplate, _ table: ExampleTable, _ row: ExampleTable.Row
    ) throws(ExamplesError) -> ([Int32], [Int32]) {
        let whole = try text(messages[...], false, template, table, row)
        let ids = try ids(of: whole, table, row)
        var labels = [Int32](repeating: -100, count: ids.count)
        for index in messages.indices where messages[index].members["role"] == "assistant" {
            let start = try text(messages[..<index], true, template, table, row)
            let end = try text(messages[...index], false, template, table, row)
            guard whole.utf8.starts(with: start.utf8), whole.utf8.starts(with: end.utf8) else {
                throw .example(
                    file: table.file, line: row.line,
                    reason:
                        "the chat template writes message \(index + 1) otherwise where more follow, so that it can't "
                        + "be told what is scored: end the conversation there")
            }
            let first = Self.common(ids, try self.ids(of: start, table, row))
            let last = Self.common(ids, try self.ids(of: end, table, row))
            for place in first..<max(first, last) { labels[place] = ids[place] }
        }
        return (ids, labels)
    }

    private func text(
        _ messages: ArraySlice<JSONValue>, _ addsPrompt: Bool, _ template: ChatTemplate, _ table: ExampleTable,
        _ row: ExampleTable.Row
    ) throws(ExamplesError) -> String {
        do {
            return try template.text(of: Array(messages), addsPrompt: addsPrompt)
        } catch {
            throw .example(file: table.file, line: row.line, reason: "\(error)")
        }
    }

    /// The template writes the special tokens itself.
    private func ids(
        of text: String, _ table: ExampleTable, _ row: ExampleTable.Row
    ) throws(ExamplesError) -> [Int32] {
        try tokens(table, row) { () throws(TokenizerError) in
            try tokenizer.encode(text, addsSpecialTokens: false, maximum: .max).ids.map(Int32.init)
        }
    }

    /// How many tokens two texts have in common at their beginning.
    private static func common(_ first: [Int32], _ second: [Int32]) -> Int {
        zip(first, second).prefix { $0 == $1 }.count
    }
}
