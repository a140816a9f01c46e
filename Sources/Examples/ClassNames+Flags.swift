internal import Files

extension ClassNames {
    /// A flag for each class, of the classes that an example has: a list of names or of class numbers, or in CSV names
    /// with `|` between them; or already a flag for each class.
    func flags(of value: JSONValue, _ table: ExampleTable, _ row: ExampleTable.Row) throws(ExamplesError) -> [Int32] {
        func fault(_ reason: String) -> ExamplesError {
            .example(file: table.file, line: row.line, reason: "invalid labels: \(reason)")
        }
        guard !names.isEmpty else {
            throw fault("the task's config.json has no id2label, which says how many classes there are; add it")
        }
        var elements = value.elements
        switch value {
        case .array: break
        case .string(let text):
            elements = names.contains(text) ? [value] : text.split(separator: "|").map { .string(String($0)) }
        default: throw fault("\(value.phrase); expected a list of classes")
        }
        if let flags = try given(elements, fault) { return flags }
        var flags = [Int32](repeating: 0, count: names.count)
        for element in elements {
            let place = Int(try index(of: element, table, row))
            guard flags.indices.contains(place) else { throw fault("class \(place); expected 0 to \(names.count - 1)") }
            flags[place] = 1
        }
        return flags
    }

    /// The elements as flags, where they are zeros and ones, as many as there are classes. Throws where they could be
    /// class numbers as well.
    private func given(
        _ elements: [JSONValue], _ fault: (String) -> ExamplesError
    ) throws(ExamplesError) -> [Int32]? {
        let flags: [Int32] = elements.compactMap { element in
            switch element {
            case .bool(let flag): flag ? 1 : 0
            case .integer(0), .number(0): 0
            case .integer(1), .number(1): 1
            default: nil
            }
        }
        guard flags.count == elements.count, flags.count == names.count else { return nil }
        let areNumbers = elements.allSatisfy { $0.integer != nil } && Set(flags).count == flags.count
        guard !areNumbers else {
            throw fault("\(flags) can be flags or class numbers; write the classes by name")
        }
        return flags
    }
}
