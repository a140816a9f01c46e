internal import Files
internal import WorkerProtocol

/// Which columns hold what: those that `task.yaml` names, and the rest by the names that data sets use. Where several
/// columns could hold the same, none is chosen: a column that is left out would make another text.
package struct ExampleColumns: Hashable, Sendable {
    package var text: String
    package var pair: String?
    /// What the model is to write after the text.
    package var completion: String?
    package var label: String?
    /// A conversation, in place of text and completion.
    package var messages: String?
    /// What a question can be answered with.
    package var choices: String?

    /// `named`: role → column. `predictsTokens`: whether a completion is what is learned, and not a label.
    package init(
        _ table: ExampleTable, named: [String: String] = [:], predictsTokens: Bool
    ) throws(ExamplesError) {
        let search = ColumnSearch(table, named)
        try search.checkNamed()
        let conversation = named[ExampleRoles.messages] ?? ExampleRoles.messages
        if predictsTokens, search.names.contains(conversation), named[ExampleRoles.text] == nil {
            (text, messages) = (conversation, conversation)
            return
        }
        let pairs = predictsTokens || named[ExampleRoles.text] != nil ? [] : ExampleRoles.pairs
        let both = pairs.first { search.names.contains($0.0) && search.names.contains($0.1) }
        pair = named[ExampleRoles.pair] ?? both?.1
        let used = Set([pair].compactMap(\.self) + named.values)
        if predictsTokens {
            let completion = try search.column(ExampleRoles.completion, ExampleRoles.completions, besides: used)
            guard let completion else {
                throw search.missing(ExampleRoles.completion, ExampleRoles.completions)
            }
            self.completion = completion
        }
        let taken = used.union([completion].compactMap(\.self))
        let text = try search.required(ExampleRoles.text, ExampleRoles.texts, besides: taken)
        self.text = text
        if !predictsTokens { label = try search.column(ExampleRoles.label, ExampleRoles.labels, besides: taken) }
    }
}

/// The columns of a table by role.
private struct ColumnSearch {
    let file: String
    let names: Set<String>
    let named: [String: String]
    var found: String { names.sorted().prefix(12).map(shown).joined(separator: ", ") }

    init(_ table: ExampleTable, _ named: [String: String]) {
        file = table.file
        // A column that the first row lacks is one as well.
        names = table.rows.reduce(into: []) { $0.formUnion($1.values.keys) }
        self.named = named
    }

    /// Throws where task.yaml names a column that is not there.
    func checkNamed() throws(ExamplesError) {
        guard let column = named.values.filter({ !names.contains($0) }).min() else { return }
        throw .set("\(file) has no column '\(shown(column))', which task.yaml names: it has \(found)")
    }

    /// The column of a role; nil where there is none.
    func column(
        _ role: String, _ usual: [String], besides used: Set<String>
    ) throws(ExamplesError) -> String? {
        if let name = named[role] { return name }
        let candidates = usual.filter { names.contains($0) && !used.contains($0) }
        guard candidates.count < 2 else {
            throw .set(
                "\(file) has several columns that could be the \(role): \(candidates.joined(separator: ", ")); name "
                    + "one in task.yaml, like `columns: {\(role): \(candidates[0])}`")
        }
        return candidates.first
    }

    /// The same of a role that a table has to have.
    func required(
        _ role: String, _ usual: [String], besides used: Set<String>
    ) throws(ExamplesError) -> String {
        guard let name = try column(role, usual, besides: used) else { throw missing(role, usual) }
        return name
    }

    func missing(_ role: String, _ usual: [String]) -> ExamplesError {
        .set(
            "\(file) has no \(role) column: it has \(found); expected one of \(usual.joined(separator: ", ")), or name "
                + "one in task.yaml, like `columns: {\(role): NAME}`")
    }
}

extension ExampleColumns {
    /// Those of questions, their choices and, where there is one, the right answer.
    static func choices(
        _ table: ExampleTable, named: [String: String]
    ) throws(ExamplesError) -> ExampleColumns {
        let search = ColumnSearch(table, named)
        let used = Set(named.values)
        let choices = try search.required(ExampleRoles.choices, ExampleRoles.lists, besides: used)
        let text = try search.required(ExampleRoles.text, ExampleRoles.texts, besides: used.union([choices]))
        let label = try search.column(ExampleRoles.label, ExampleRoles.answers, besides: used.union([choices, text]))
        return ExampleColumns(text: text, label: label, choices: choices)
    }

    /// Those of words and, where there are any, their tags, as text and label.
    static func tagged(
        _ table: ExampleTable, named: [String: String]
    ) throws(ExamplesError) -> ExampleColumns {
        let search = ColumnSearch(table, named)
        let words = try search.required(ExampleRoles.words, ExampleRoles.wordLists, besides: Set(named.values))
        let used = Set(named.values).union([words])
        let tags = try search.column(ExampleRoles.tags, ExampleRoles.tagLists, besides: used)
        return ExampleColumns(text: words, label: tags, choices: nil)
    }

    /// Those of a question (text), the text that answers it (pair) and, where there are any, the answers (label) and
    /// where they start.
    static func answers(
        _ table: ExampleTable, named: [String: String]
    ) throws(ExamplesError) -> (columns: ExampleColumns, start: String?) {
        let search = ColumnSearch(table, named)
        try search.checkNamed()
        var used = Set(named.values)
        let text = try search.required(ExampleRoles.text, ExampleRoles.questions, besides: used)
        used.insert(text)
        let pair = try search.required(ExampleRoles.pair, ExampleRoles.contexts, besides: used)
        used.insert(pair)
        let answer = try search.column(ExampleRoles.answer, ExampleRoles.answerTexts, besides: used)
        let start = try search.column(ExampleRoles.answerStart, ExampleRoles.answerStarts, besides: used)
        return (ExampleColumns(text: text, pair: pair, label: answer), start)
    }

    /// Those of pairs of texts and, where there is one, their score.
    static func pairs(
        _ table: ExampleTable, named: [String: String]
    ) throws(ExamplesError) -> ExampleColumns {
        let search = ColumnSearch(table, named)
        if let column = named.values.filter({ !search.names.contains($0) }).min() {
            throw .set("\(table.file) has no column '\(shown(column))', which task.yaml names: it has \(search.found)")
        }
        let usual = ExampleRoles.similarPairs.first { search.names.contains($0.0) && search.names.contains($0.1) }
        guard let text = named[ExampleRoles.text] ?? usual?.0, let pair = named[ExampleRoles.pair] ?? usual?.1,
            text != pair
        else {
            throw .set(
                "\(table.file) has no pair of texts: it has \(search.found); expected columns such as sentence1 and "
                    + "sentence2, or name two in task.yaml, like `columns: {text: NAME, text_pair: NAME}`")
        }
        let label = try search.column(ExampleRoles.label, ExampleRoles.scores, besides: [text, pair])
        return ExampleColumns(text: text, pair: pair, label: label)
    }

    private init(text: String, pair: String, label: String?) {
        (self.text, self.pair, self.label) = (text, pair, label)
    }

    private init(text: String, label: String?, choices: String?) {
        (self.text, self.label, self.choices) = (text, label, choices)
    }

    /// The column of the images' paths and, where there is one, that of the labels.
    static func images(
        _ table: ExampleTable, named: [String: String]
    ) throws(ExamplesError) -> (image: String, label: String?) {
        let search = ColumnSearch(table, named)
        try search.checkNamed()
        let used = Set(named.values)
        let image = try search.required(ExampleRoles.image, ExampleRoles.images, besides: used)
        return (image, try search.column(ExampleRoles.label, ExampleRoles.labels, besides: used.union([image])))
    }
}

extension ExampleTable {
    func text(_ row: Row, _ column: String) throws(ExamplesError) -> String {
        switch row.values[column] {
        case .string(let text)?: return text
        case let other:
            throw .example(
                file: file, line: row.line,
                reason: "invalid \(shown(column)): \((other ?? .null).phrase); expected a text")
        }
    }
}
