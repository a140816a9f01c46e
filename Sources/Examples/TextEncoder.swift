internal import Files
package import Tokenizers
package import WorkerProtocol

/// Texts to the tensors of a validation set, as transformers' tokenizer call makes them: truncated, padded at the end
/// to the longest.
package struct TextEncoder: Sendable {
    let tokenizer: Tokenizer
    /// Most tokens of an example.
    let maximum: Int
    let padding: Int32
    /// The token that ends a completion; nil: none is added.
    let end: Int32?
    /// Inputs that the graph takes.
    let inputs: Set<String>

    package init(tokenizer: Tokenizer, maximum: Int, padding: Int, end: Int?, inputs: Set<String>) {
        self.tokenizer = tokenizer
        self.maximum = maximum
        self.padding = Int32(padding)
        self.end = end.map(Int32.init)
        self.inputs = inputs
    }

    /// An encoded set: `[examples, tokens]` int32 for each input, and the labels.
    package struct Encoded: Hashable, Sendable {
        package var inputs: [String: [[Int32]]] = [:]
        package var labels: Labels
        /// Examples whose text was longer than `maximum` tokens.
        package var truncated = 0
    }

    package enum Labels: Hashable, Sendable {
        case none
        case classes([Int32])
        case numbers([Float])
        case tokens([[Int32]])
    }

    private static let inputNames: Set = ["input_ids", "attention_mask", "token_type_ids", "decoder_input_ids"]

    /// Encodes every row. `−100` marks tokens that are not scored.
    package func encode(
        _ table: ExampleTable, _ objective: TaskSettings.Objective, _ classes: ClassNames
    ) throws(ExamplesError) -> Encoded {
        if let unknown = inputs.subtracting(Self.inputNames).min() {
            throw .set("the model takes '\(unknown)', which no text gives: provide validation.safetensors")
        }
        switch objective {
        case .classification, .regression: return try labelled(table, objective, classes)
        case .languageModeling, .sequenceToSequence: return try completions(table, objective)
        case .tokenClassification, .multipleChoice:
            throw .set("objective \(objective.rawValue) is not encoded from text yet: provide validation.safetensors")
        }
    }

    private func labelled(
        _ table: ExampleTable, _ objective: TaskSettings.Objective, _ classes: ClassNames
    ) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns(table, predictsTokens: false)
        var (ids, types): ([[Int32]], [[Int32]]) = ([], [])
        var (numbers, indices): ([Float], [Int32]) = ([], [])
        var truncated = 0
        for row in table.rows {
            let text = try table.text(row, columns.text)
            var pair: String?
            if let column = columns.pair { pair = try table.text(row, column) }
            let encoding = try tokens(table, row) { () throws(TokenizerError) in
                try tokenizer.encode(text, pair: pair, maximum: maximum)
            }
            if encoding.ids.count == maximum { truncated += 1 }
            ids.append(encoding.ids.map(Int32.init))
            types.append(encoding.types.map(Int32.init))
            guard let column = columns.label, let label = row.values[column] else { continue }
            if objective == .regression {
                numbers.append(try Self.number(label, table, row))
            } else {
                indices.append(try classes.index(of: label, table, row))
            }
        }
        guard columns.label == nil || numbers.count + indices.count == table.rows.count else {
            throw .set("\(table.file): some examples have a label and some have none; expected all or none")
        }
        let labels: Labels = !numbers.isEmpty ? .numbers(numbers) : !indices.isEmpty ? .classes(indices) : .none
        var encoded = Encoded(labels: labels, truncated: truncated)
        set(ids, types: types, &encoded)
        return encoded
    }

    private func completions(
        _ table: ExampleTable, _ objective: TaskSettings.Objective
    ) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns(table, predictsTokens: true)
        let isEncoderDecoder = inputs.contains("decoder_input_ids")
        var (ids, targets): ([[Int32]], [[Int32]]) = ([], [])
        var truncated = 0
        for row in table.rows {
            let prompt = try table.text(row, columns.text)
            let completion = try table.text(row, columns.completion ?? "")
            let (start, rest) = try tokens(table, row) { () throws(TokenizerError) in
                (try tokenizer.encode(prompt), try tokenizer.encode(completion, addsSpecialTokens: isEncoderDecoder))
            }
            var answer = rest.ids.map(Int32.init)
            if !isEncoderDecoder, let end { answer.append(end) }
            if isEncoderDecoder {
                let source = start.ids.map(Int32.init)
                if max(source.count, answer.count) > maximum { truncated += 1 }
                ids.append(Array(source.prefix(maximum)))
                targets.append(Array(answer.prefix(maximum)))
            } else {
                let both = start.ids.map(Int32.init) + answer
                if both.count > maximum { truncated += 1 }
                guard start.ids.count < maximum else {
                    throw .example(
                        file: table.file, line: row.line,
                        reason: "the prompt has \(start.ids.count) tokens; expected less than \(maximum)")
                }
                ids.append(Array(both.prefix(maximum)))
                let unscored = [Int32](repeating: -100, count: start.ids.count)
                targets.append(Array((unscored + answer).prefix(maximum)))
            }
        }
        let width = targets.map(\.count).max() ?? 0
        let labels = targets.map { $0 + Array(repeating: -100, count: width - $0.count) }
        var encoded = Encoded(labels: .tokens(labels), truncated: truncated)
        set(ids, types: ids.map { $0.map { _ in 0 } }, &encoded)
        return encoded
    }

    /// Pads at the end and sets the inputs that the graph takes; what a decoder begins with is made of the labels
    /// later.
    private func set(_ ids: [[Int32]], types: [[Int32]], _ encoded: inout Encoded) {
        let width = ids.map(\.count).max() ?? 0
        func padded(_ rows: [[Int32]], with value: Int32) -> [[Int32]] {
            rows.map { $0 + Array(repeating: value, count: width - $0.count) }
        }
        encoded.inputs["input_ids"] = padded(ids, with: padding)
        if inputs.contains("attention_mask") {
            encoded.inputs["attention_mask"] = padded(ids.map { $0.map { _ in 1 } }, with: 0)
        }
        if inputs.contains("token_type_ids") { encoded.inputs["token_type_ids"] = padded(types, with: 0) }
    }

    private func tokens<Value>(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ body: () throws(TokenizerError) -> Value
    ) throws(ExamplesError) -> Value {
        do {
            return try body()
        } catch {
            throw .example(file: table.file, line: row.line, reason: error.description)
        }
    }

    private static func number(
        _ value: JSONValue, _ table: ExampleTable, _ row: ExampleTable.Row
    ) throws(ExamplesError) -> Float {
        let number: Float? =
            switch value {
            case .integer(let value): Float(value)
            case .number(let value): Float(value)
            case .string(let text): Float(text)
            default: nil
            }
        guard let number, number.isFinite else {
            throw .example(
                file: table.file, line: row.line, reason: "invalid label: \(value.phrase); expected a number")
        }
        return number
    }
}
