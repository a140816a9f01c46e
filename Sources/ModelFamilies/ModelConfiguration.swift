internal import Files

/// A `config.json`, or an object in it, that remembers which of its keys were asked for: what is never asked for must
/// be switched off or say nothing about the arithmetic. A key that is null counts as absent, as in Python.
final class ModelConfiguration {
    let path: String
    /// What stands before a key in a message: `vision_config.` and the like.
    private let scope: String
    private let values: [String: JSONValue]
    private var asked: Set<String> = []
    /// The head of the tasks, where it is not the base's to say.
    let head: FamilyHead?

    /// Bytes that a configuration may have.
    static let longest = 16 << 20
    /// Lengths beyond this are no model's; products of two of them can't overflow.
    private static let longestAxis = 1 << 30

    init(_ bytes: [UInt8], path: String, head: FamilyHead? = nil) throws(ModelFamilyError) {
        self.path = path
        self.head = head
        scope = ""
        do throws(JSONCursor.Fault) {
            values = try JSONValue.members(parsing: bytes, .python)
        } catch {
            throw .malformed(path: path, reason: "can't be read: \(error.reason)")
        }
    }

    init(_ values: [String: JSONValue], path: String, scope: String = "") {
        self.values = values
        self.path = path
        self.scope = scope
        head = nil
    }

    /// Whether the key is there and not null.
    func has(_ key: String) -> Bool { value(key) != nil }

    /// Whether the key is there, if only as null.
    func isGiven(_ key: String) -> Bool {
        asked.insert(key)
        return values[key] != nil
    }

    /// A positive whole number.
    func count(_ key: String, default standard: Int) throws(ModelFamilyError) -> Int {
        guard let value = value(key) else { return standard }
        guard let count = Self.length(value) else { throw fault(key, value, "a positive whole number") }
        return count
    }

    /// A positive whole number; nil where there is none.
    func count(_ key: String) throws(ModelFamilyError) -> Int? { has(key) ? try count(key, default: 1) : nil }

    func number(_ key: String, default standard: Double) throws(ModelFamilyError) -> Double {
        guard let value = value(key) else { return standard }
        guard let number = value.double, number.isFinite else { throw fault(key, value, "a number") }
        return number
    }

    /// A whole number that may be 0 or negative.
    func integer(_ key: String, default standard: Int) throws(ModelFamilyError) -> Int {
        guard let value = value(key) else { return standard }
        guard case .integer(let number) = value, (-Self.longestAxis...Self.longestAxis).contains(number) else {
            throw fault(key, value, "a whole number")
        }
        return number
    }

    func flag(_ key: String, default standard: Bool) throws(ModelFamilyError) -> Bool {
        guard let value = value(key) else { return standard }
        guard case .bool(let flag) = value else { throw fault(key, value, "true or false") }
        return flag
    }

    func text(_ key: String, default standard: String) throws(ModelFamilyError) -> String {
        guard let value = value(key) else { return standard }
        guard case .string(let text) = value else { throw fault(key, value, "a string") }
        return text
    }

    /// Whether a string is given.
    func isText(_ key: String) -> Bool { value(key)?.text != nil }

    func texts(_ key: String) throws(ModelFamilyError) -> [String] {
        guard let value = value(key) else { return [] }
        var texts: [String] = []
        guard case .array(let items) = value else { throw fault(key, value, "a list of names") }
        for item in items {
            guard case .string(let text) = item else { throw fault(key, item, "a list of names") }
            texts.append(text)
        }
        return texts
    }

    /// A list of numbers that must be given.
    func numbers(_ key: String) throws(ModelFamilyError) -> [Double] {
        guard let value = value(key) else { throw unsupported(key, "is missing, and it has no default") }
        let numbers = value.elements.compactMap(\.double)
        guard case .array(let items) = value, numbers.count == items.count, numbers.allSatisfy(\.isFinite) else {
            throw fault(key, value, "a list of numbers")
        }
        return numbers
    }

    /// A list of whole numbers; nil where there is none.
    func integers(_ key: String) throws(ModelFamilyError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let numbers = value.elements.compactMap(\.integer)
        guard case .array(let items) = value, numbers.count == items.count else {
            throw fault(key, value, "a list of whole numbers")
        }
        return numbers
    }

    /// Names that follow each other as often as the number behind them says: `[[["a", "b"], 2]]` is a, b, a, b. Nil
    /// where there are none, or they have another form.
    func repeatedTexts(_ key: String) -> [String]? {
        guard let items = value(key)?.elements, !items.isEmpty else { return nil }
        var texts: [String] = []
        for item in items {
            guard item.elements.count == 2, let times = item.elements[1].integer, (0...4096).contains(times) else {
                return nil
            }
            let names = item.elements[0].elements.compactMap(\.text)
            texts += Array(repeating: names, count: times).flatMap { $0 }
        }
        return texts
    }

    /// Height and width: two positive whole numbers, or one for both.
    func sides(_ key: String, default standard: Int) throws(ModelFamilyError) -> (height: Int, width: Int) {
        guard case .array(let items)? = value(key) else {
            let side = try count(key, default: standard)
            return (side, side)
        }
        let sides = items.compactMap(Self.length)
        guard sides.count == 2, items.count == 2 else {
            throw fault(key, .array(items), "one positive whole number or two")
        }
        return (sides[0], sides[1])
    }

    /// A row of the embedding whose gradient PyTorch leaves out; negative numbers count from its end. Nil where there
    /// is none.
    func padding(_ key: String, default standard: Int?, rows: Int) throws(ModelFamilyError) -> Int? {
        guard values[key] != nil else { return standard }
        guard let value = value(key) else { return nil }
        guard case .integer(let row) = value, (-rows..<rows).contains(row) else {
            throw fault(key, value, "the number of one of \(rows) tokens")
        }
        return row < 0 ? row + rows : row
    }

    /// Classes of a head: one for each label, by transformers' own default two.
    func classes() throws(ModelFamilyError) -> Int {
        let given = try count("num_labels", default: 2)
        guard let labels = value("id2label") else { return given }
        guard case .object(let names) = labels else { throw fault("id2label", labels, "an object of names") }
        return names.isEmpty ? given : names.count
    }

    /// An object under a key; nil where it is absent or empty.
    func nested(_ key: String) throws(ModelFamilyError) -> ModelConfiguration? {
        guard let value = value(key), !value.isOff else { return nil }
        guard case .object(let values) = value else { throw fault(key, value, "an object") }
        return ModelConfiguration(values, path: path, scope: "\(scope)\(key).")
    }

    /// Refuses any value of a key but the ones that leave the arithmetic alone.
    func demand(_ key: String, oneOf harmless: [JSONValue]) throws(ModelFamilyError) {
        guard let value = value(key), !harmless.contains(where: value.isEqual(toPythons:)) else { return }
        throw unsupported(key, "is \(value.phrase), which is not built here")
    }

    /// Refuses what is switched on and was neither asked for nor is among the keys that say nothing about the
    /// arithmetic.
    func checkRest(inert: Set<String>) throws(ModelFamilyError) {
        for key in values.keys.sorted() where !asked.contains(key) && !inert.contains(key) {
            guard let value = values[key], !value.isOff else { continue }
            throw unsupported(key, "is \(value.phrase), and it is not known here what that changes")
        }
    }

    func unsupported(_ key: String, _ reason: String) -> ModelFamilyError {
        .unsupported(path: path, key: scope + key, reason: reason)
    }

    private func value(_ key: String) -> JSONValue? {
        asked.insert(key)
        let value = values[key]
        return value == .null ? nil : value
    }

    private func fault(_ key: String, _ value: JSONValue, _ wanted: String) -> ModelFamilyError {
        .malformed(path: path, reason: "has `\(shown(scope + key))` \(value.phrase), not \(wanted)")
    }

    private static func length(_ value: JSONValue) -> Int? {
        guard case .integer(let length) = value, (1...longestAxis).contains(length) else { return nil }
        return length
    }
}
