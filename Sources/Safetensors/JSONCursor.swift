/// Reads JSON front to back for a parser that knows what must come next. No recursion but in `skipValue`, which is bounded;
/// no dictionary that would swallow a second key of the same name.
struct JSONCursor {
    /// What is wrong with the text, and where.
    struct Fault: Error, Hashable {
        var reason: String
        /// Whether the text simply stopped, as that of a file still arriving does.
        var endsEarly = false
    }

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    func fault(_ reason: String) -> Fault {
        Fault(reason: "\(reason) at byte \(position) of the JSON", endsEarly: isAtEnd)
    }

    /// The next byte after white space, not consumed.
    mutating func peek() throws(Fault) -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        throw fault("the text ends too early")
    }

    /// Consumes `character` after white space, if it is next.
    mutating func skip(_ character: Unicode.Scalar) throws(Fault) -> Bool {
        guard try peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Consumes a word such as `null` after white space, if it is next.
    mutating func skipWord(_ word: String) throws(Fault) -> Bool {
        _ = try peek()
        let letters = Array(word.utf8)
        guard bytes[position...].starts(with: letters) else { return false }
        position += letters.count
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard try skip(character) else { throw fault("expected '\(character)'") }
    }

    /// Consumes padding spaces.
    mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == 0x20 { position += 1 }
    }

    /// Calls `member` after each key of an object; it must consume the value.
    mutating func object(_ member: (inout JSONCursor, String) throws(Fault) -> Void) throws(Fault) {
        try expect("{")
        if try skip("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while try skip(",")
        try expect("}")
    }

    /// Calls `element` at each element of an array; it must consume the value.
    mutating func array(_ element: (inout JSONCursor) throws(Fault) -> Void) throws(Fault) {
        try expect("[")
        if try skip("]") { return }
        repeat { try element(&self) } while try skip(",")
        try expect("]")
    }

    /// An integer of 0 or more, without sign, fraction, exponent or leading zeros.
    mutating func integer() throws(Fault) -> Int64 {
        _ = try peek()
        let start = position
        var value: Int64 = 0
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int64(bytes[position] - 0x30))
            if overflowed || carried { throw fault("a number above 2^63") }
            value = sum
            position += 1
        }
        guard position > start else { throw fault("expected an integer of 0 or more") }
        if position - start > 1, bytes[start] == 0x30 { throw fault("a number with leading zeros") }
        return value
    }

    mutating func string() throws(Fault) -> String {
        guard try skip("\"") else { throw fault("expected a string") }
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                defer { position += 1 }
                return try text(bytes[start..<position])
            case UInt8(ascii: "\\"):
                return try escapedString(Array(bytes[start..<position]))
            case 0..<0x20:
                throw fault("a control character in a string")
            default:
                position += 1
            }
        }
        throw fault("a string without its end")
    }

    /// Consumes any value, nested at most `depth` deep.
    mutating func skipValue(depth: Int = 16) throws(Fault) {
        guard depth > 0 else { throw fault("values nested too deep") }
        switch try peek() {
        case UInt8(ascii: "{"): try object { (cursor, _) throws(Fault) in try cursor.skipValue(depth: depth - 1) }
        case UInt8(ascii: "["): try array { (cursor) throws(Fault) in try cursor.skipValue(depth: depth - 1) }
        case UInt8(ascii: "\""): _ = try string()
        default:
            let start = position
            while position < bytes.count, Self.isScalarByte(bytes[position]) { position += 1 }
            guard position > start else { throw fault("expected a value") }
        }
    }

    /// Bytes of numbers, `true`, `false` and `null`.
    private static func isScalarByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private func text(_ utf8: some Sequence<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw fault("a string that is not UTF-8") }
        return text
    }

    /// The slow way, from the first backslash on.
    private mutating func escapedString(_ prefix: [UInt8]) throws(Fault) -> String {
        var result = prefix
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(result)
            case UInt8(ascii: "\\"): try result.append(contentsOf: String(Character(escape())).utf8)
            case 0..<0x20: throw fault("a control character in a string")
            default: result.append(byte)
            }
        }
        throw fault("a string without its end")
    }

    private mutating func escape() throws(Fault) -> Unicode.Scalar {
        guard position < bytes.count else { throw fault("a string without its end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw fault("an unknown escape in a string")
        }
    }

    private mutating func unicodeEscape() throws(Fault) -> Unicode.Scalar {
        var value = UInt32(try hexadecimal())
        if value >= 0xD800, value < 0xDC00, bytes[position...].starts(with: Array("\\u".utf8)) {
            position += 2
            let low = UInt32(try hexadecimal())
            guard low >= 0xDC00, low < 0xE000 else { throw fault("half a surrogate pair in a string") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair in a string") }
        return scalar
    }

    private mutating func hexadecimal() throws(Fault) -> UInt16 {
        guard position + 4 <= bytes.count else { throw fault("a string without its end") }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt16(digits, radix: 16)
        else { throw fault("an unknown escape in a string") }
        position += 4
        return value
    }
}
