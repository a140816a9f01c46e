internal import Files
internal import Tokenizers

/// Pairs of texts with a score: inputs [examples, 2, tokens], each text for itself, as sentence-transformers has it.
extension TextEncoder {
    func pairs(_ table: ExampleTable) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns.pairs(table, named: columns)
        var (ids, types): ([[Int32]], [[Int32]]) = ([], [])
        var scores: [Float] = []
        var truncated = 0
        for row in table.rows {
            var isCut = false
            for column in [columns.text, columns.pair].compactMap(\.self) {
                var text = try table.text(row, column)
                if isLowercased { text = text.unicodeScalars.map(\.properties.lowercaseMapping).joined() }
                let encoding = try tokens(table, row) { () throws(TokenizerError) in
                    try tokenizer.encode(text, maximum: maximum)
                }
                isCut = isCut || encoding.isCut
                ids.append(encoding.ids.map(Int32.init))
                types.append(encoding.types.map(Int32.init))
            }
            if isCut { truncated += 1 }
            guard let column = columns.label, let score = row.values[column], score != .null else { continue }
            scores.append(try Self.number(score, table, row))
        }
        guard scores.isEmpty || scores.count == table.rows.count else {
            throw .set("\(table.file): some pairs have a score and some have none; expected all or none")
        }
        var encoded = Encoded(labels: scores.isEmpty ? .none : .numbers(scores), truncated: truncated)
        encoded.choiceCount = 2
        encoded.inputsHaveChoices = true
        set(ids, types: types, &encoded)
        return encoded
    }
}
