/// What is there, where it is of the kind that is asked for.
extension JSONValue {
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var text: String? { if case .string(let value) = self { value } else { nil } }
    /// An object's members; none of anything else.
    package var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
    /// A list's elements; none of anything else.
    package var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// A number, whole or not.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .null, .bool, .string, .array, .object: nil
        }
    }

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
