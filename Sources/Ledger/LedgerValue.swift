/// A JSON value in `details`.
package enum LedgerValue: Hashable, Sendable {
    case null, bool(Bool), integer(Int), number(Double), string(String), array([LedgerValue]), object(
        [String: LedgerValue])
}

extension LedgerValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([LedgerValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: LedgerValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension LedgerValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension LedgerValue {
    /// The names in an object, sorted; nil for anything else.
    var keys: [String]? { if case .object(let members) = self { members.keys.sorted() } else { nil } }

    /// The value as one word or sentence, where it is not a collection: what a journal field holds.
    package var scalar: String? {
        switch self {
        case .null, .array, .object: nil
        case .bool(let value): String(value)
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): value
        }
    }
}
