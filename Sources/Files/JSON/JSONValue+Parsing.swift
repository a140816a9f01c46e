/// How a text becomes a value.
extension JSONValue {
    /// What a key that comes twice and a number that is not finite mean.
    package enum Rules: Sendable {
        /// Both are faults: what this project's own programs write.
        case strict
        /// As Python's `json` resolves them: the last member of a name counts, `NaN` and `Infinity` are numbers. For
        /// files that Python's libraries write and read: `config.json`, `adapter_config.json`, tokenizers, graphs.
        case python
    }

    /// Reads one value that takes the whole of `bytes`.
    ///
    /// With `.python` a text has the value that `json.loads` gives it, or is refused: see `JSONCursor`, and two keys of
    /// an object that differ in their code points alone (é as one or as two), which a Swift dictionary holds one of.
    package init(parsing bytes: some Sequence<UInt8>, _ rules: Rules) throws(JSONCursor.Fault) {
        var cursor = JSONCursor(bytes, allowsNonFinite: rules == .python)
        self = try cursor.value(rules, depth: JSONCursor.maximumDepth)
        try cursor.expectEnd()
    }

    /// The members of the object that takes the whole of `bytes`.
    package static func members(
        parsing bytes: some Sequence<UInt8>, _ rules: Rules
    ) throws(JSONCursor.Fault) -> [String: JSONValue] {
        guard case .object(let members) = try JSONValue(parsing: bytes, rules) else {
            throw JSONCursor.Fault(reason: "the value is not a JSON object")
        }
        return members
    }

    /// Whether Python's `==` holds between the two: 1 equals 1.0.
    package func isEqual(toPythons other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)):
            Int(exactly: number) == whole
        case (.array(let items), .array(let others)):
            items.count == others.count && zip(items, others).allSatisfy { $0.isEqual(toPythons: $1) }
        case (.object(let members), .object(let others)):
            members.count == others.count
                && members.allSatisfy { key, value in others[key].map(value.isEqual(toPythons:)) ?? false }
        default: self == other
        }
    }
}

extension JSONCursor {
    /// The next value, consumed.
    package mutating func value(
        _ rules: JSONValue.Rules, depth: Int = Self.maximumDepth
    ) throws(Fault) -> JSONValue {
        guard depth > 0 else { throw fault("values nested more than \(Self.maximumDepth) deep") }
        switch try peek() {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try object { (cursor, key) throws(Fault) in
                let value = try cursor.value(rules, depth: depth - 1)
                if let known = members.index(forKey: key) {
                    guard members[known].key.utf8.elementsEqual(key.utf8) else {
                        throw cursor.fault("two keys that differ only in how Unicode composes '\(shown(key))'")
                    }
                    if rules == .strict { throw cursor.fault("the key '\(shown(key))' comes twice") }
                }
                members[key] = value
            }
            return .object(members)
        case UInt8(ascii: "["):
            var items: [JSONValue] = []
            try array { (cursor) throws(Fault) in items.append(try cursor.value(rules, depth: depth - 1)) }
            return .array(items)
        case UInt8(ascii: "\""): return .string(try string())
        default: return try scalar()
        }
    }
}
