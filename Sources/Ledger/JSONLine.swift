import Files

/// A strict reader of one JSON value (RFC 8259): whole input, no duplicate keys, bounded depth, valid UTF-8.
struct JSONLine {
    struct Malformed: Error {
        var reason: String
    }

    private static let deepest = 64
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    static func parse(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> JSONValue {
        var reader = JSONLine(bytes: bytes, position: bytes.startIndex)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.endIndex else { throw Malformed(reason: "something follows the JSON value") }
        return value
    }

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ byte: UInt8) throws(Malformed) {
        guard next == byte else { throw Malformed(reason: "expected `\(Character(Unicode.Scalar(byte)))`") }
        position += 1
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        guard depth < Self.deepest else { throw Malformed(reason: "nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(Malformed) -> JSONValue {
        for byte in text.utf8 { try take(byte) }
        return value
    }

    private mutating func object(depth: Int) throws(Malformed) -> JSONValue {
        var members: [String: JSONValue] = [:]
        try take(UInt8(ascii: "{"))
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            let key = try string()
            skipSpace()
            try take(UInt8(ascii: ":"))
            let member = try value(depth: depth + 1)
            guard members.updateValue(member, forKey: key) == nil else {
                throw Malformed(reason: "the key `\(key)` stands there twice")
            }
            skipSpace()
            guard next == UInt8(ascii: ",") else { break }
            position += 1
        }
        try take(UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Malformed) -> JSONValue {
        var values: [JSONValue] = []
        try take(UInt8(ascii: "["))
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            guard next == UInt8(ascii: ",") else { break }
            position += 1
        }
        try take(UInt8(ascii: "]"))
        return .array(values)
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = position
        var isInteger = true
        scan: while let byte = next {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): isInteger = false
            default: break scan
            }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw Malformed(reason: "not a JSON value") }
        return .number(value)
    }

    private mutating func string() throws(Malformed) -> String {
        try take(UInt8(ascii: "\""))
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard next != UInt8(ascii: "\"") else {
            defer { position += 1 }
            return try text(bytes[start..<position])
        }
        var content = Array(bytes[start..<position])
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(content[...])
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw Malformed(reason: "a control character in a string")
            default: content.append(byte)
            }
        }
        throw Malformed(reason: "a string without end")
    }

    private func text(_ content: ArraySlice<UInt8>) throws(Malformed) -> String {
        guard let text = String(validating: content, as: UTF8.self) else { throw Malformed(reason: "not UTF-8") }
        return text
    }

    private mutating func escape(into content: inout [UInt8]) throws(Malformed) {
        let byte = next
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(bytes[position - 1])
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                try take(UInt8(ascii: "\\"))
                try take(UInt8(ascii: "u"))
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw Malformed(reason: "half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw Malformed(reason: "half a surrogate pair") }
            content += String(Character(scalar)).utf8
        default: throw Malformed(reason: "an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(Malformed) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Malformed(reason: "four hexadecimal digits must follow \\u")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
