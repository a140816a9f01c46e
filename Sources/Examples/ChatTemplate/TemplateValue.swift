internal import Files

/// A value of a template, as Python has it.
enum TemplateValue {
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([TemplateValue])
    case dictionary(TemplateDictionary)
    /// `namespace()`, whose attributes a loop may set.
    case namespace(TemplateNamespace)
    case function(TemplateFunction)

    init(_ value: JSONValue) {
        switch value {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let items): self = .list(items.map(TemplateValue.init))
        case .object(let members):
            let pairs = members.sorted { $0.key < $1.key }.map { ($0.key, TemplateValue($0.value)) }
            self = .dictionary(TemplateDictionary(unique: pairs, isOrdered: members.count < 2))
        }
    }

    init(_ literal: TemplateLiteral) {
        switch literal {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        }
    }

    /// Whether Python takes it for true.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .number(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let items): !items.isEmpty
        case .dictionary(let items): !items.pairs.isEmpty
        case .namespace, .function: true
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    /// For a message.
    var kind: String {
        switch self {
        case .undefined(let name): "'\(name)', which is not defined"
        case .none: "none"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .dictionary: "a mapping"
        case .namespace: "a namespace"
        case .function: "a function"
        }
    }

    /// Number for arithmetic and comparison; a boolean counts as 0 or 1.
    var double: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    var whole: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .integer(let value): value
        default: nil
        }
    }

    /// Whether values lie in each other more than so deep. A method that is stored holds a value of any depth, and
    /// counts as deep.
    func isDeeper(than limit: Int) -> Bool {
        switch self {
        case .list(let items): limit == 0 || items.contains { $0.isDeeper(than: limit - 1) }
        case .dictionary(let items): limit == 0 || items.pairs.contains { $0.value.isDeeper(than: limit - 1) }
        case .function(.method): true
        default: false
        }
    }

    /// Values in it and itself; nil for more than `limit`. Stops counting there.
    func count(upTo limit: Int) -> Int? {
        var count = 1
        func add(_ value: TemplateValue) -> Bool {
            guard let own = value.count(upTo: limit - count) else { return false }
            count += own
            return true
        }
        guard limit > 0 else { return nil }
        switch self {
        case .list(let items): return items.allSatisfy(add) ? count : nil
        case .dictionary(let items): return items.pairs.allSatisfy { add($0.value) } ? count : nil
        default: return count
        }
    }

    /// Equality as Python has it.
    func equals(_ other: TemplateValue) -> Bool {
        switch (self, other) {
        case (.none, .none), (.undefined, .undefined): true
        case (.string(let own), .string(let other)): own.unicodeScalars.elementsEqual(other.unicodeScalars)
        case (.list(let own), .list(let other)):
            own.count == other.count && zip(own, other).allSatisfy { $0.equals($1) }
        case (.dictionary(let own), .dictionary(let other)):
            own.pairs.count == other.pairs.count
                && own.pairs.allSatisfy { pair in other[pair.key].map { $0.equals(pair.value) } ?? false }
        default: if let own = double, let other = other.double { own == other } else { false }
        }
    }
}

/// Keys are strings, in their order.
struct TemplateDictionary {
    private(set) var pairs: [(key: String, value: TemplateValue)]
    /// Whether the order is the one in which somebody wrote them.
    let isOrdered: Bool

    /// `pairs`: of different keys.
    init(unique pairs: [(String, TemplateValue)], isOrdered: Bool) {
        self.pairs = pairs.map { (key: $0.0, value: $0.1) }
        self.isOrdered = isOrdered
    }

    /// The last of several values of a key counts.
    init(_ pairs: [(String, TemplateValue)], isOrdered: Bool) {
        self.pairs = []
        self.isOrdered = isOrdered
        for (key, value) in pairs {
            if let index = self.pairs.firstIndex(where: { $0.key == key }) {
                self.pairs[index].value = value
            } else {
                self.pairs.append((key, value))
            }
        }
    }

    subscript(key: String) -> TemplateValue? { pairs.first { $0.key == key }?.value }
}

final class TemplateNamespace {
    var attributes: [String: TemplateValue] = [:]
}

/// Something that can be called: a function of the environment, a method of a value, or a macro.
enum TemplateFunction {
    case named(String)
    case method(TemplateValueBox, String)
    case macro([TemplateParameter], [TemplateNode])
}

/// A value beside another one in an enumeration.
final class TemplateValueBox {
    let value: TemplateValue
    init(_ value: TemplateValue) { self.value = value }
}
