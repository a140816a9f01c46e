/// Any JSON value: what somebody else's configuration may hold under a key that nobody knows yet.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Whether this is how Python's libraries write that an option is not used.
    package var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .list(let items): items.isEmpty
        case .object(let items): items.isEmpty
        case .bool(true), .number, .string: false
        }
    }

    /// For a message: short, on one line.
    package var text: String {
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
package func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(160).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
    return String(String.UnicodeScalarView(scalars))
}
