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
    /// Inputs that the graph takes, and the tokens of those that have a fixed number.
    let inputs: Set<String>
    let widths: [String: Int]
    /// Role → column, where `task.yaml` says it.
    let columns: [String: String]
    /// Whether texts whose embeddings are compared are lower-cased first.
    var isLowercased = false
    /// The token that a question without an answer is answered by; nil: the first one.
    var classification: Int32?
    /// Where prompts and completions are turns of a conversation.
    let usesTemplate: Bool
    /// The base's chat template, for those and for conversations.
    let template: @Sendable () throws(ExamplesError) -> ChatTemplate

    package init(
        tokenizer: Tokenizer, maximum: Int, padding: Int, end: Int?, inputs: Set<String>, widths: [String: Int] = [:],
        columns: [String: String] = [:], usesTemplate: Bool = false,
        template: @escaping @Sendable () throws(ExamplesError) -> ChatTemplate = { () throws(ExamplesError) in
            throw .tokenizer("no chat template")
        }
    ) {
        self.tokenizer = tokenizer
        self.maximum = min(maximum, widths["input_ids"] ?? maximum)
        self.padding = Int32(padding)
        self.end = end.map(Int32.init)
        self.inputs = inputs
        self.widths = widths
        self.columns = columns
        self.usesTemplate = usesTemplate
        self.template = template
    }

    /// One that encodes as the files of a base, and the settings of a task, say.
    package init(_ folder: ExampleFolder, _ encoding: ExampleEncoding) {
        let widths = encoding.inputs.compactMap { input in input.width.map { (input.name, $0) } }
        self.init(
            tokenizer: folder.tokenizer, maximum: folder.maximum(encoding.maximumLength),
            padding: folder.padding, end: folder.end, inputs: Set(encoding.inputs.map(\.name)),
            widths: Dictionary(widths) { first, _ in first }, columns: encoding.columns,
            usesTemplate: encoding.template == .chat, template: folder.chatTemplate)
        isLowercased = folder.isLowercased
        classification = folder.classification.map(Int32.init)
    }

    /// An encoded set: `[examples, tokens]` int32 for each input, and the labels.
    package struct Encoded: Hashable, Sendable {
        package var inputs: [String: [[Int32]]] = [:]
        package var labels: Labels
        /// Tokens of the choices, as many rows for each example; nil where there are none.
        package var choices: [[Int32]]?
        /// Rows of an example in `choices`, and in the inputs where these have an axis for the choices, too.
        package var choiceCount = 0
        package var inputsHaveChoices = false
        /// Of questions: where their texts' tokens lie, and the texts; nil for other objectives.
        package var answers: AnswerRows?
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
            throw .set(
                "\(table.file): the model takes '\(unknown)', which no text gives: provide validation.safetensors")
        }
        switch objective {
        case .classification, .multiLabel, .regression: return try labelled(table, objective, classes)
        case .languageModeling, .sequenceToSequence, .generation: return try completions(table, objective)
        case .multipleChoice: return try choices(table)
        case .tokenClassification, .tokenSpans: return try tagged(table, classes)
        case .similarity: return try pairs(table)
        case .questionAnswering: return try answers(table)
        case .maskedLanguageModeling:
            throw .set(
                "\(table.file): objective \(objective.rawValue) is not encoded from text: provide "
                    + "validation.safetensors")
        }
    }

    private func labelled(
        _ table: ExampleTable, _ objective: TaskSettings.Objective, _ classes: ClassNames
    ) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns(table, named: columns, predictsTokens: false)
        var (ids, types): ([[Int32]], [[Int32]]) = ([], [])
        var (numbers, indices, flags): ([Float], [Int32], [[Int32]]) = ([], [], [])
        var truncated = 0
        for row in table.rows {
            let text = try table.text(row, columns.text)
            var pair: String?
            if let column = columns.pair { pair = try table.text(row, column) }
            let encoding = try tokens(table, row) { () throws(TokenizerError) in
                try tokenizer.encode(text, pair: pair, maximum: maximum)
            }
            if encoding.isCut { truncated += 1 }
            ids.append(encoding.ids.map(Int32.init))
            types.append(encoding.types.map(Int32.init))
            guard let column = columns.label, let label = row.values[column] else { continue }
            if objective == .multiLabel {
                flags.append(try classes.flags(of: label, table, row))
            } else if objective == .regression {
                numbers.append(try Self.number(label, table, row))
            } else {
                indices.append(try classes.index(of: label, table, row))
            }
        }
        guard columns.label == nil || numbers.count + indices.count + flags.count == table.rows.count else {
            throw .set("\(table.file): some examples have a label and some have none; expected all or none")
        }
        var labels: Labels = !numbers.isEmpty ? .numbers(numbers) : !indices.isEmpty ? .classes(indices) : .none
        if !flags.isEmpty { labels = .tokens(flags) }
        var encoded = Encoded(labels: labels, truncated: truncated)
        set(ids, types: types, &encoded)
        return encoded
    }

    private func completions(
        _ table: ExampleTable, _ objective: TaskSettings.Objective
    ) throws(ExamplesError) -> Encoded {
        let columns = try ExampleColumns(table, named: columns, predictsTokens: true)
        if usesTemplate || columns.messages != nil { return try conversations(table, columns) }
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
                let longest = min(maximum, widths["decoder_input_ids"] ?? maximum)
                if source.count > maximum || answer.count > longest { truncated += 1 }
                ids.append(Array(source.prefix(maximum)))
                targets.append(Array(answer.prefix(longest)))
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
        let fixed = widths[isEncoderDecoder ? "decoder_input_ids" : "input_ids"]
        let width = fixed ?? targets.map(\.count).max() ?? 0
        let labels = targets.map { $0 + Array(repeating: -100, count: width - $0.count) }
        var encoded = Encoded(labels: .tokens(labels), truncated: truncated)
        set(ids, types: ids.map { $0.map { _ in 0 } }, &encoded)
        return encoded
    }

    /// Pads at the end and sets the inputs that the graph takes; what a decoder begins with is made of the labels
    /// later.
    func set(_ ids: [[Int32]], types: [[Int32]], _ encoded: inout Encoded) {
        let width = widths["input_ids"] ?? ids.map(\.count).max() ?? 0
        func padded(_ rows: [[Int32]], with value: Int32) -> [[Int32]] {
            rows.map { $0 + Array(repeating: value, count: width - $0.count) }
        }
        encoded.inputs["input_ids"] = padded(ids, with: padding)
        if inputs.contains("attention_mask") {
            encoded.inputs["attention_mask"] = padded(ids.map { $0.map { _ in 1 } }, with: 0)
        }
        if inputs.contains("token_type_ids") { encoded.inputs["token_type_ids"] = padded(types, with: 0) }
    }

    func tokens<Value>(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ body: () throws(TokenizerError) -> Value
    ) throws(ExamplesError) -> Value {
        do {
            return try body()
        } catch {
            throw .example(file: table.file, line: row.line, reason: error.description)
        }
    }

    static func number(
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
