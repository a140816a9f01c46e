package import Files

/// Labels as numbers or as names of `id2label`.
package struct ClassNames: Hashable, Sendable {
    /// Class → name; empty where the configuration names none.
    package var names: [String]

    package init(names: [String] = []) { self.names = names }

    /// Reads `id2label` of a config.json; names that transformers makes up (`LABEL_0`) count as names.
    package init(configuration: [String: JSONValue]) {
        guard case .object(let given)? = configuration["id2label"] else {
            names = []
            return
        }
        names = (0..<given.count).compactMap { index in
            if case .string(let name)? = given[String(index)] { name } else { nil }
        }
        if names.count != given.count { names = [] }
    }

    /// The class of a label: a whole number, its digits, or a name.
    func index(of value: JSONValue, _ table: ExampleTable, _ row: ExampleTable.Row) throws(ExamplesError) -> Int32 {
        let expected = names.isEmpty ? "a class number" : "one of \(names.prefix(12).joined(separator: ", "))"
        switch value {
        case .integer(let number) where number >= 0 && number <= Int32.max && isKnown(number): return Int32(number)
        case .string(let text):
            if let index = names.firstIndex(where: { $0.utf8.elementsEqual(text.utf8) }) { return Int32(index) }
            if let number = Int32(text), number >= 0, isKnown(Int(number)) { return number }
        default: break
        }
        throw .example(
            file: table.file, line: row.line, reason: "invalid label: \(value.phrase); expected \(expected)")
    }

    private func isKnown(_ number: Int) -> Bool { names.isEmpty || number < names.count }
}
