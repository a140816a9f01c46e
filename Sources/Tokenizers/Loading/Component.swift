internal import Files

/// An object of tokenizer.json that names a component by its `type`, and its options.
struct Component {
    /// Path in the file, for messages.
    let path: String
    let members: [String: JSONValue]

    init(_ value: JSONValue, _ path: String) throws(TokenizerError) {
        guard case .object(let members) = value else { throw .malformed("\(path): expected an object") }
        self.path = path
        self.members = members
    }

    /// Nil where `value` is null or missing.
    static func optional(_ value: JSONValue?, _ path: String) throws(TokenizerError) -> Component? {
        guard let value, value != .null else { return nil }
        return try Component(value, path)
    }

    var type: String { if case .string(let type)? = members["type"] { type } else { "" } }

    var unsupported: TokenizerError { .unsupported(component: path, name: type) }

    func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        switch members[key] {
        case nil, .null: return fallback
        case .bool(let value): return value
        case let other?: throw mismatch(key, "true or false", other)
        }
    }

    func optionalBool(_ key: String) throws(TokenizerError) -> Bool? {
        members[key] == nil || members[key] == .null ? nil : try bool(key, default: false)
    }

    func string(_ key: String, default fallback: String? = nil) throws(TokenizerError) -> String {
        switch members[key] {
        case .string(let value)?: return value
        case nil where fallback != nil, .null? where fallback != nil: return fallback ?? ""
        case let other: throw mismatch(key, "a text", other ?? .null)
        }
    }

    /// A text of one character.
    func character(_ key: String, default fallback: String? = nil) throws(TokenizerError) -> String {
        let text = try string(key, default: fallback)
        guard text.unicodeScalars.count == 1 else { throw mismatch(key, "one character", .string(text)) }
        return text
    }

    func integer(_ key: String, default fallback: Int? = nil) throws(TokenizerError) -> Int {
        switch members[key] {
        case .integer(let value)? where value >= 0: return value
        case nil where fallback != nil, .null? where fallback != nil: return fallback ?? 0
        case let other: throw mismatch(key, "a whole number of 0 or more", other ?? .null)
        }
    }

    /// A token's id, or the id of a segment.
    func identifier(_ key: String, default fallback: Int? = nil) throws(TokenizerError) -> Int {
        let id = try integer(key, default: fallback)
        guard id < TokenizerFile.largestID else {
            throw mismatch(key, "an id below \(TokenizerFile.largestID)", .integer(id))
        }
        return id
    }

    /// An id in a list.
    func identifier(_ key: String, _ value: JSONValue) throws(TokenizerError) -> Int {
        guard case .integer(let id) = value, (0..<TokenizerFile.largestID).contains(id) else {
            throw mismatch(key, "an id below \(TokenizerFile.largestID)", value)
        }
        return id
    }

    func list(_ key: String) throws(TokenizerError) -> [JSONValue] {
        guard case .array(let items)? = members[key] else { throw mismatch(key, "a list", members[key] ?? .null) }
        return items
    }

    func components(_ key: String) throws(TokenizerError) -> [Component] {
        var result: [Component] = []
        for (index, item) in try list(key).enumerated() {
            result.append(try Component(item, "\(path).\(key)[\(index)]"))
        }
        return result
    }

    func component(_ key: String) throws(TokenizerError) -> Component {
        try Component(members[key] ?? .null, "\(path).\(key)")
    }

    /// `{"String": …}` or `{"Regex": …}`.
    func pattern(_ key: String) throws(TokenizerError) -> Pattern {
        let given = try component(key)
        if given.members["String"] != nil { return Pattern(literal: try given.string("String")) }
        return try Pattern(regex: try given.string("Regex"))
    }

    func mismatch(_ key: String, _ expected: String, _ value: JSONValue) -> TokenizerError {
        .malformed("\(path).\(key): invalid value \(value.phrase): expected \(expected)")
    }
}
