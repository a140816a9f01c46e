internal import Files

/// Which columns hold what, found by the names that data sets use.
package struct ExampleColumns: Hashable, Sendable {
    package var text: String
    package var pair: String?
    /// What the model is to write after the text.
    package var completion: String?
    package var label: String?

    private static let texts = ["text", "sentence", "sentence1", "premise", "question", "prompt", "input"]
    private static let pairs = ["text_pair", "sentence2", "hypothesis", "context", "passage"]
    private static let completions = ["completion", "target", "answer", "output", "summary"]
    private static let labels = ["label", "labels"]

    /// `predictsTokens`: whether a completion is what is learned, and not a label.
    package init(_ table: ExampleTable, predictsTokens: Bool) throws(ExamplesError) {
        let names = Set(table.rows.first?.values.keys.map(\.self) ?? [])
        let known = { (wanted: [String]) in wanted.first { names.contains($0) } }
        let found = names.sorted().joined(separator: ", ")
        guard let text = known(Self.texts) else {
            throw .set(
                "\(table.file) has no text column: it has \(found); expected one of "
                    + Self.texts.joined(separator: ", ")
            )
        }
        self.text = text
        if predictsTokens {
            guard let completion = known(Self.completions.filter { $0 != text }) else {
                throw .set(
                    "\(table.file) has no completion column: it has \(found); expected one of "
                        + Self.completions.joined(separator: ", "))
            }
            self.completion = completion
        } else {
            pair = known(Self.pairs)
            label = known(Self.labels)
        }
    }
}

extension ExampleTable {
    func text(_ row: Row, _ column: String) throws(ExamplesError) -> String {
        switch row.values[column] {
        case .string(let text)?: return text
        case let other:
            throw .example(
                file: file, line: row.line, reason: "invalid \(column): \((other ?? .null).phrase); expected a text")
        }
    }
}
