/// Any JSON value: a ledger's details, and what somebody else's configuration may hold under a key that nobody knows
/// yet.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A whole number of 64 bits, written without fraction and exponent.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Whether this is how Python's libraries write that an option is not used.
    package var isOff: Bool {
        switch self {
        case .null, .bool(false): true
        case .array(let items): items.isEmpty
        case .object(let items): items.isEmpty
        case .bool(true), .integer, .number, .string: false
        }
    }

    /// For a message: short, on one line.
    package var phrase: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value) where value.isInfinite: value < 0 ? "-Infinity" : "Infinity"
        case .number(let value): value.isNaN ? "NaN" : "\(value)"
        case .string(let value): "\"\(shown(value))\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// A name out of a file, fit for one line of a message.
package func shown(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(160).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }
    return String(String.UnicodeScalarView(scalars))
}
