internal import Files

/// Filters, and methods of Python's strings and mappings.
extension TemplateInterpreter {
    private static let ofStrings: Set = [
        "strip", "lstrip", "rstrip", "split", "startswith", "endswith", "replace", "upper", "lower", "title",
        "capitalize", "count", "find", "join",
    ]

    /// Methods of Python's mappings that are not implemented.
    static let furtherMethods: Set = ["clear", "copy", "fromkeys", "pop", "popitem", "setdefault", "update"]

    static func isMethod(_ name: String, of value: TemplateValue) -> Bool {
        switch value {
        case .string: ofStrings.contains(name)
        case .dictionary: ["items", "keys", "values", "get"].contains(name)
        default: false
        }
    }

    func method(
        _ name: String, of owner: TemplateValue, _ values: [TemplateValue], _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        switch owner {
        case .string(let text): return try method(name, of: text, values, line)
        case .dictionary(let items):
            if name == "get" {
                guard case .string(let key)? = values.first else {
                    throw .invalid(line: line, "'get' takes a string")
                }
                return items[key] ?? (values.count > 1 ? values[1] : .none)
            }
            try checkOrder(items, line)
            switch name {
            case "items": return .list(items.pairs.map { .list([.string($0.key), $0.value]) })
            case "keys": return .list(items.pairs.map { .string($0.key) })
            default: return .list(items.pairs.map(\.value))
            }
        default: throw .unsupported(line: line, "method '\(name)' of \(owner.kind)")
        }
    }

    private func method(
        _ name: String, of text: String, _ values: [TemplateValue], _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        var texts: [String] = []
        for value in values { if case .string(let text) = value { texts.append(text) } }
        let bytes = Array(text.utf8)
        switch (name, texts.count, values.count) {
        case ("strip", 0, 0): return .string(text.strippingStart().strippingEnd())
        case ("lstrip", 0, 0): return .string(text.strippingStart())
        case ("rstrip", 0, 0): return .string(text.strippingEnd())
        case ("strip", 1, 1), ("lstrip", 1, 1), ("rstrip", 1, 1):
            return .string(Self.stripped(text, texts[0], start: name != "rstrip", end: name != "lstrip"))
        case ("startswith", 1, 1): return .bool(bytes.starts(with: texts[0].utf8))
        case ("endswith", 1, 1): return .bool(text.ends(in: texts[0]))
        case ("upper", 0, 0): return .string(text.uppercased())
        case ("lower", 0, 0): return .string(text.lowercased())
        case ("capitalize", 0, 0): return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
        case ("title", 0, 0): return .string(Self.titled(text))
        case ("replace", 2, 2) where !texts[0].isEmpty:
            let pieces = Self.pieces(text, texts[0])
            try checkLength(pieces.count, times: texts[1])
            return .string(pieces.joined(separator: texts[1]))
        case ("count", 1, 1) where !texts[0].isEmpty: return .integer(Self.pieces(text, texts[0]).count - 1)
        case ("split", 0, 0):
            let words = text.unicodeScalars.split { $0.properties.isWhitespace }
            return .list(words.map { .string(String($0)) })
        case ("split", 1, _) where !texts[0].isEmpty && values.count <= 2:
            let most = values.count == 2 ? values[1].whole ?? -1 : -1
            return .list(Self.pieces(text, texts[0], most: most).map { .string($0) })
        case ("join", _, 1): return try filter("join", values[0], [.string(text)], [:], line)
        default: throw .unsupported(line: line, "method '\(name)' of a string with these arguments")
        }
    }

    private func checkLength(_ count: Int, times text: String) throws(TemplateError) {
        guard count <= Self.longestString / max(1, text.utf8.count) else {
            throw .limit("it makes a string of more than \(Self.longestString >> 20) MiB")
        }
    }

    /// Parts of a text between separators, at most `most` of which are looked for where that is not negative.
    private static func pieces(_ text: String, _ separator: String, most: Int = -1) -> [String] {
        let (bytes, wanted) = (Array(text.utf8), Array(separator.utf8))
        var pieces: [String] = []
        var (start, place) = (0, 0)
        while place + wanted.count <= bytes.count, most < 0 || pieces.count < most {
            if bytes[place..<place + wanted.count].elementsEqual(wanted) {
                pieces.append(String(decoding: bytes[start..<place], as: UTF8.self))
                place += wanted.count
                start = place
            } else {
                place += 1
            }
        }
        return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    private static func stripped(_ text: String, _ set: String, start: Bool, end: Bool) -> String {
        let unwanted = Set(set.unicodeScalars)
        var scalars = Array(text.unicodeScalars)[...]
        if start { scalars = scalars.drop { unwanted.contains($0) } }
        while end, let last = scalars.last, unwanted.contains(last) { scalars.removeLast() }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Each run of letters with a capital first.
    private static func titled(_ text: String) -> String {
        var result = ""
        var isInside = false
        for character in text {
            result += isInside ? character.lowercased() : character.uppercased()
            isInside = character.isLetter
        }
        return result
    }

    func filter(
        _ name: String, _ value: TemplateValue, _ arguments: [TemplateValue], _ named: [String: TemplateValue],
        _ line: Int
    ) throws(TemplateError) -> TemplateValue {
        guard named.keys.allSatisfy({ Self.namedArguments[name]?.contains($0) ?? false }) else {
            throw .unsupported(
                line: line, "filter '\(name)' with the arguments \(named.keys.sorted().joined(separator: ", "))")
        }
        guard arguments.count <= Self.mostArguments[name] ?? 0 else {
            throw .unsupported(line: line, "filter '\(name)' with \(arguments.count) arguments")
        }
        switch (name, value) {
        case ("trim", _):
            return .string(try text(of: value, line).strippingStart().strippingEnd())
        case ("string", _): return .string(try text(of: value, line))
        case ("upper", .string(let text)): return .string(text.uppercased())
        case ("lower", .string(let text)): return .string(text.lowercased())
        case ("title", .string(let text)): return .string(Self.capitalizedWords(text))
        case ("capitalize", .string), ("replace", .string):
            return try method(name, of: value, arguments, line)
        case ("length", .string(let text)), ("count", .string(let text)): return .integer(text.unicodeScalars.count)
        case ("length", .list(let items)), ("count", .list(let items)): return .integer(items.count)
        case ("length", .dictionary(let items)), ("count", .dictionary(let items)): return .integer(items.pairs.count)
        case ("first", .list(let items)): return items.first ?? .undefined("first item")
        case ("last", .list(let items)): return items.last ?? .undefined("last item")
        case ("list", _): return .list(try elements(of: value, line))
        case ("reverse", .list(let items)): return .list(items.reversed())
        case ("items", .dictionary): return try method("items", of: value, [], line)
        case ("int", _):
            if let number = value.double { return .integer(Int(exactly: number.rounded(.towardZero)) ?? 0) }
        case ("abs", .integer(let number)) where number != .min: return .integer(abs(number))
        case ("default", _), ("d", _):
            let replacesFalse = (arguments.count > 1 ? arguments[1] : named["boolean"])?.isTrue ?? false
            let isMissing = value.isUndefined || replacesFalse && !value.isTrue
            return isMissing ? arguments.first ?? named["default_value"] ?? .string("") : value
        case ("join", .list(let items)):
            var parts: [String] = []
            for item in items { parts.append(try text(of: item, line)) }
            guard case .string(let separator) = arguments.first ?? named["d"] ?? .string("") else { break }
            try checkLength(parts.count, times: separator)
            return .string(parts.joined(separator: separator))
        case ("tojson", _):
            return .string(try json(value, line))
        case ("selectattr", .list(let items)), ("rejectattr", .list(let items)):
            return .list(try selected(items, arguments, keeps: name == "selectattr", line))
        case ("map", .list(let items)):
            guard case .string(let attribute)? = named["attribute"] else {
                throw .unsupported(line: line, "filter 'map' without an attribute")
            }
            let key = try Self.key(attribute, line)
            let missing = named["default"] ?? .undefined(key)
            return .list(items.map { if case .dictionary(let item) = $0 { item[key] ?? missing } else { missing } })
        default: break
        }
        throw .unsupported(line: line, "filter '\(name)' of \(value.kind)")
    }

    private static let namedArguments: [String: Set<String>] = [
        "default": ["default_value", "boolean"], "d": ["default_value", "boolean"], "join": ["d"],
        "map": ["attribute", "default"],
    ]
    private static let mostArguments = [
        "default": 2, "d": 2, "join": 1, "replace": 2, "selectattr": 3, "rejectattr": 3,
    ]

    /// The key that names an attribute of a mapping. Jinja goes along dots, and takes a number for an index.
    private static func key(_ attribute: String, _ line: Int) throws(TemplateError) -> String {
        guard !attribute.contains("."), Int(attribute) == nil else {
            throw .unsupported(line: line, "path '\(attribute)' of attributes")
        }
        return attribute
    }

    /// Each word with a capital first, as Jinja's filter has it: words begin behind white space, hyphens and brackets.
    private static func capitalizedWords(_ text: String) -> String {
        var result = ""
        var isInside = false
        for scalar in text.unicodeScalars {
            let divides = scalar.properties.isWhitespace || "-({[<".unicodeScalars.contains(scalar)
            result +=
                divides
                ? String(scalar) : isInside ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping
            isInside = !divides
        }
        return result
    }

    /// Items whose attribute passes a test.
    private func selected(
        _ items: [TemplateValue], _ arguments: [TemplateValue], keeps: Bool, _ line: Int
    ) throws(TemplateError) -> [TemplateValue] {
        guard case .string(let name)? = arguments.first else {
            throw .invalid(line: line, "expected the name of an attribute")
        }
        let attribute = try Self.key(name, line)
        var kept: [TemplateValue] = []
        for item in items {
            var value = TemplateValue.undefined(attribute)
            if case .dictionary(let members) = item { value = members[attribute] ?? value }
            var passes = value.isTrue
            if arguments.count > 1 {
                guard case .string(let name) = arguments[1] else {
                    throw .invalid(line: line, "expected the name of a test")
                }
                let tests = ["==": "equalto", "!=": "ne"]
                passes = try test(tests[name] ?? name, value, Array(arguments.dropFirst(2)), line)
            }
            if passes == keeps { kept.append(item) }
        }
        return kept
    }

    /// As Python's `json.dumps(value, ensure_ascii=False)` writes it, which is what transformers' `tojson` is.
    private func json(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> String {
        switch value {
        case .none: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .number(let value): return String(value)
        case .string(let value): return Self.quoted(value)
        case .list(let items):
            var parts: [String] = []
            for item in items { parts.append(try json(item, line)) }
            return "[\(parts.joined(separator: ", "))]"
        case .dictionary(let items):
            try checkOrder(items, line)
            var parts: [String] = []
            for pair in items.pairs { parts.append("\(Self.quoted(pair.key)): \(try json(pair.value, line))") }
            return "{\(parts.joined(separator: ", "))}"
        case .undefined, .namespace, .function: throw .unsupported(line: line, "filter 'tojson' of \(value.kind)")
        }
    }

    private static func quoted(_ text: String) -> String {
        let short: [Unicode.Scalar: String] = [
            "\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{8}": "\\b", "\u{C}": "\\f",
        ]
        let parts = text.unicodeScalars.map { scalar -> String in
            if let known = short[scalar] { return known }
            guard scalar.value < 0x20 else { return String(scalar) }
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "\"\(parts.joined())\""
    }
}
