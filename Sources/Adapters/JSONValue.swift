/// Any JSON value: what an adapter's configuration may hold under a key that nobody knows yet.
enum JSONValue: Decodable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Whether this is how PEFT writes that an option is not used.
    var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .list(let items): items.isEmpty
        case .object(let items): items.isEmpty
        case .bool(true), .number, .string: false
        }
    }

    /// For a message: short, on one line.
    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(shown(value))\""
        case .list: "a list"
        case .object: "an object"
        }
    }
}

/// A name out of a file, fit for one line of a message.
func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(160).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
    return String(String.UnicodeScalarView(scalars))
}

extension Collection<String> {
    /// The first names for a message, and how many more there are.
    var firstFew: String {
        let first = prefix(3).map { "`\(shown($0))`" }.joined(separator: ", ")
        return count > 3 ? "\(first) and \(count - 3) more" : first
    }
}
