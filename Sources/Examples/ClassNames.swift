internal import Files

/// Labels as class numbers or as names of `id2label`.
package struct ClassNames: Hashable, Sendable {
    /// Class → name; empty where the configuration names none.
    package var names: [String]

    package init(names: [String] = []) { self.names = names }

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

    /// Names that transformers makes up (`LABEL_0`, …) say nothing of how many classes a head has.
    private var areMadeUp: Bool {
        names.enumerated().allSatisfy { $0.element.lowercased() == "label_\($0.offset)" }
    }

    private func isKnown(_ number: Int) -> Bool { areMadeUp || number < names.count }
}
