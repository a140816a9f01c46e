package import Files
import Foundation
import Ledger

/// JSON whose texts may hold placeholders, also in the names of members.
package indirect enum HookTemplate: Hashable, Sendable {
    /// A number, a truth value or null.
    case fixed(JSONValue)
    case text(String)
    case list([HookTemplate])
    case object([String: HookTemplate])
    /// A text, or anything else as JSON, in base64.
    case base64(HookTemplate)

    /// Whether a text in it has the placeholder `{name}`.
    func names(_ name: String) -> Bool {
        switch self {
        case .fixed: false
        case .text(let text): text.contains("{\(name)}")
        case .list(let elements): elements.contains { $0.names(name) }
        case .object(let members): members.contains { $0.key.contains("{\(name)}") || $0.value.names(name) }
        case .base64(let content): content.names(name)
        }
    }

    func filled(_ values: HookValues) -> JSONValue {
        switch self {
        case .fixed(let value): value
        case .text(let text): .string(values.fill(text))
        case .list(let elements): .array(elements.map { $0.filled(values) })
        case .object(let members):
            .object(
                Dictionary(members.map { (values.fill($0.key), $0.value.filled(values)) }) { first, _ in first })
        case .base64(let content): .string(Self.data(content.filled(values)).base64EncodedString())
        }
    }

    private static func data(_ value: JSONValue) -> Data {
        if case .string(let text) = value { return Data(text.utf8) }
        return value.json
    }
}

extension JSONValue {
    /// As JSON with sorted keys; what JSON can't hold is `null`.
    var json: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)) ?? Data("null".utf8)
    }

    /// Whether everything expected is there: every member of an object, for each element of a list one that contains
    /// it, and words and numbers by their text, so that 3 is "3". An object or a word is also found in a list that has
    /// it.
    func contains(_ expected: JSONValue) -> Bool {
        switch (self, expected) {
        case (.object(let members), .object(let wanted)):
            return wanted.allSatisfy { name, value in members[name]?.contains(value) ?? false }
        case (.array(let elements), .array(let wanted)):
            return wanted.allSatisfy { value in elements.contains { $0.contains(value) } }
        case (.array(let elements), _): return elements.contains { $0.contains(expected) }
        default:
            if isEqual(toPythons: expected) { return true }
            guard let text = scalar, let wanted = expected.scalar else { return false }
            return text == wanted
        }
    }
}
