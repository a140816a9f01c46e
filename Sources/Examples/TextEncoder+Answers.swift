internal import Files
internal import Tokenizers
package import WorkerProtocol

/// The texts of questions and where their tokens lie in them.
package struct AnswerRows: Hashable, Sendable {
    /// Tokens of an example.
    package var width: Int
    /// `AnswerTensors.offsets`, one example after another.
    package var offsets: [Int32]
    /// `AnswerTensors.texts`.
    package var texts: [AnswerText]
}

/// Questions, and texts with their answers: a pair of which the text alone is cut, labelled with the answer's first and
/// last token, as transformers' example for SQuAD does it.
extension TextEncoder {
    func answers(_ table: ExampleTable) throws(ExamplesError) -> Encoded {
        let (columns, startColumn) = try ExampleColumns.answers(table, named: columns)
        var (ids, types, labels): ([[Int32]], [[Int32]], [[Int32]]) = ([], [], [])
        var offsets: [[Range<Int>?]] = []
        var texts: [AnswerText] = []
        var truncated = 0
        for row in table.rows {
            let question = try table.text(row, columns.text)
            let context = try table.text(row, columns.pair ?? "")
            let found = try tokens(table, row) { () throws(TokenizerError) in
                try tokenizer.encode(question: Self.trimmed(question), context: context, maximum: maximum)
            }
            guard let found else {
                throw .example(
                    file: table.file, line: row.line,
                    reason: "the question leaves no room for its text in \(maximum) tokens; shorten it")
            }
            if found.encoding.isCut { truncated += 1 }
            ids.append(found.encoding.ids.map(Int32.init))
            types.append(found.encoding.types.map(Int32.init))
            offsets.append(found.offsets)
            let end = found.offsets.compactMap { $0?.upperBound }.max() ?? 0
            let known = String(decoding: Array(context.utf8.prefix(end)), as: UTF8.self)
            var text = AnswerText(context: known, answers: [])
            if let column = columns.label, let given = row.values[column], given != .null {
                let answers = try AnswerReader(table, row, context).answers(
                    given, starts: startColumn.flatMap { row.values[$0] })
                text.answers = answers.map(\.text)
                labels.append(try label(answers.first, found, table, row))
            }
            texts.append(text)
        }
        guard labels.isEmpty || labels.count == table.rows.count else {
            throw .set(
                "\(table.file): some questions have answers and some have none; expected all or none, with an empty "
                    + "list where the text does not answer a question")
        }
        var encoded = Encoded(labels: labels.isEmpty ? .none : .tokens(labels), truncated: truncated)
        set(ids, types: types, &encoded)
        let width = encoded.inputs["input_ids"]?.first?.count ?? 0
        let rows = offsets.flatMap { row in
            (0..<width).flatMap { place -> [Int32] in
                guard row.indices.contains(place), let range = row[place] else { return [-1, -1] }
                return [Int32(range.lowerBound), Int32(range.upperBound)]
            }
        }
        encoded.answers = AnswerRows(width: width, offsets: rows, texts: texts)
        return encoded
    }

    /// As Python's `lstrip`.
    private static func trimmed(_ text: String) -> String {
        let space = text.unicodeScalars.prefix {
            $0.properties.isWhitespace || (0x1C...0x1F).contains($0.value)
        }
        return String(text.unicodeScalars.dropFirst(space.count))
    }

    /// The first and the last token of an answer; of none the token of the class, twice. An answer of which a part was
    /// cut off is refused.
    private func label(
        _ answer: AnswerReader.Answer?, _ found: Tokenizer.AnswerEncoding, _ table: ExampleTable,
        _ row: ExampleTable.Row
    ) throws(ExamplesError) -> [Int32] {
        guard let answer else {
            let place = classification.flatMap { token in found.encoding.ids.firstIndex(of: Int(token)) } ?? 0
            return [Int32(place), Int32(place)]
        }
        let places = found.offsets.indices.filter { found.offsets[$0] != nil }
        func start(_ place: Int) -> Int { found.offsets[place]?.lowerBound ?? 0 }
        func end(_ place: Int) -> Int { found.offsets[place]?.upperBound ?? 0 }
        guard let first = places.last(where: { start($0) <= answer.range.lowerBound }) ?? places.first,
            let last = places.first(where: { end($0) >= answer.range.upperBound })
        else {
            throw .example(
                file: table.file, line: row.line,
                reason: "the answer \"\(shown(answer.text))\" lies behind the \(maximum) tokens that are read; shorten "
                    + "the text, or raise `max-length` in task.yaml")
        }
        // The bytes of one character can be several tokens, each of which has the whole character for its place.
        return [Int32(min(first, last)), Int32(max(first, last))]
    }
}

/// The answers of one row of a table.
struct AnswerReader {
    struct Answer: Hashable {
        var text: String
        /// Its bytes in the context.
        var range: Range<Int>
    }

    private let table: ExampleTable
    private let row: ExampleTable.Row
    private let context: String
    /// Character → its first byte; one more for the end.
    private let places: [Int]

    init(_ table: ExampleTable, _ row: ExampleTable.Row, _ context: String) {
        (self.table, self.row, self.context) = (table, row, context)
        var (places, position) = ([Int](), 0)
        for scalar in context.unicodeScalars {
            places.append(position)
            position += String(Character(scalar)).utf8.count
        }
        self.places = places + [position]
    }

    /// `given`: `{"text": […], "answer_start": […]}`, a list of `{"text", "answer_start"}`, a list of texts, or a text;
    /// of the last two `starts` holds where they start, one or a list. An empty list or text: no answer.
    func answers(_ given: JSONValue, starts: JSONValue?) throws(ExamplesError) -> [Answer] {
        let members = given.members
        if !members.isEmpty {
            guard let texts = members["text"] else { throw fault("an object without `text`") }
            return try answers(list(texts), list(members["answer_start"] ?? .null))
        }
        if case .object = given { throw fault("an object without `text`") }
        if given.elements.contains(where: { !$0.members.isEmpty }) {
            let all = given.elements.map(\.members)
            return try answers(
                all.map { $0["text"] ?? .null }, all.map { $0["answer_start"] ?? .null })
        }
        return try answers(list(given), list(starts ?? .null))
    }

    /// A list as it is, nothing as no element, anything else as one.
    private func list(_ value: JSONValue) -> [JSONValue] {
        switch value {
        case .array(let elements): elements
        case .null, .string(""): []
        default: [value]
        }
    }

    private func answers(_ texts: [JSONValue], _ starts: [JSONValue]) throws(ExamplesError) -> [Answer] {
        guard starts.isEmpty || starts.count == texts.count else {
            throw fault("\(texts.count) texts and \(starts.count) starts")
        }
        var found: [Answer] = []
        for (place, value) in texts.enumerated() {
            guard case .string(let text) = value, !text.isEmpty else { throw fault(value.phrase) }
            let start = starts.isEmpty ? JSONValue.null : starts[place]
            found.append(start == .null ? try only(text) : try at(start, text))
        }
        return found
    }

    /// An answer at a character that is given, which has to be there.
    private func at(_ start: JSONValue, _ text: String) throws(ExamplesError) -> Answer {
        var character = start.integer
        if case .string(let digits) = start { character = Int(digits) }
        guard let character, character >= 0, character < places.count else {
            throw fault("answer_start \(start.phrase), and the text has \(places.count - 1) characters")
        }
        let (from, answer) = (places[character], Array(text.utf8))
        let rest = context.utf8.dropFirst(from)
        guard rest.starts(with: answer) else {
            let there = String(decoding: Array(rest.prefix(answer.count)), as: UTF8.self)
            throw fault(
                "\"\(shown(text))\" is not at answer_start \(character), where \"\(shown(there))\" is; it counts "
                    + "characters from 0")
        }
        return Answer(text: text, range: from..<from + answer.count)
    }

    /// An answer without a place, where it occurs once.
    private func only(_ text: String) throws(ExamplesError) -> Answer {
        let (whole, part) = (Array(context.utf8), Array(text.utf8))
        let found = whole.ranges(of: part)
        guard found.count == 1 else {
            throw fault(
                "\"\(shown(text))\" occurs \(found.count) times in the text; give the one that is meant as "
                    + "answer_start, the number of its first character from 0")
        }
        return Answer(text: text, range: found[0])
    }

    private func fault(_ reason: String) -> ExamplesError {
        .example(file: table.file, line: row.line, reason: "invalid answer: \(reason)")
    }
}
