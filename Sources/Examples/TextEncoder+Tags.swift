internal import Files
internal import Tokenizers

/// Words with tags: the first token of each word has its tag, and no other token is scored, as in transformers'
/// examples.
extension TextEncoder {
    func tagged(_ table: ExampleTable, _ classes: ClassNames) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns.tagged(table, named: columns)
        var (ids, types, labels): ([[Int32]], [[Int32]], [[Int32]]) = ([], [], [])
        var truncated = 0
        for row in table.rows {
            let words = try list(table, row, columns.text).compactMap(\.text)
            guard !words.isEmpty, words.count == row.values[columns.text]?.elements.count else {
                throw .example(
                    file: table.file, line: row.line,
                    reason: "invalid \(shown(columns.text)): expected a list of words")
            }
            let (encoding, owners) = try tokens(table, row) { () throws(TokenizerError) in
                try tokenizer.encode(words: words, maximum: maximum)
            }
            if encoding.isCut { truncated += 1 }
            let known = Set(owners.compactMap(\.self))
            if let lost = words.indices.first(where: { !known.contains($0) }), !encoding.isCut {
                throw .example(
                    file: table.file, line: row.line,
                    reason: "word \(lost + 1), \"\(shown(words[lost]))\", has no tokens; leave it and its tag out")
            }
            ids.append(encoding.ids.map(Int32.init))
            types.append(encoding.types.map(Int32.init))
            guard let column = columns.label, row.values[column] ?? .null != .null else { continue }
            let tags = try list(table, row, column)
            guard tags.count == words.count else {
                throw .example(
                    file: table.file, line: row.line,
                    reason: "\(tags.count) tags and \(words.count) words; expected a tag for each word")
            }
            var own: [Int32] = []
            for (place, owner) in owners.enumerated() {
                let isFirst = owner != nil && (place == 0 || owners[place - 1] != owner)
                own.append(isFirst ? try classes.index(of: tags[owner ?? 0], table, row) : -100)
            }
            labels.append(own)
        }
        guard labels.isEmpty || labels.count == table.rows.count else {
            throw .set("\(table.file): some examples have tags and some have none; expected all or none")
        }
        let width = widths["input_ids"] ?? ids.map(\.count).max() ?? 0
        let padded = labels.map { $0 + Array(repeating: -100, count: width - $0.count) }
        var encoded = Encoded(labels: labels.isEmpty ? .none : .tokens(padded), truncated: truncated)
        set(ids, types: types, &encoded)
        return encoded
    }

    private func list(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ column: String
    ) throws(ExamplesError) -> [JSONValue] {
        guard case .array(let elements)? = row.values[column] else {
            throw .example(
                file: table.file, line: row.line,
                reason: "invalid \(shown(column)): \((row.values[column] ?? .null).phrase); expected a list")
        }
        return elements
    }
}
