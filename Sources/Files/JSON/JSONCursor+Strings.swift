/// Strings: UTF-8, escapes resolved.
extension JSONCursor {
    package mutating func string() throws(Fault) -> String {
        guard try skip("\"") else { throw fault("expected a string") }
        let plain = bytes[take { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }]
        if take("\"") { return try text(plain) }
        return try escapedString(Array(plain))
    }

    private func text(_ utf8: some Sequence<UInt8>) throws(Fault) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw fault("a string that is not UTF-8") }
        return text
    }

    /// The slow way, from the first backslash on.
    private mutating func escapedString(_ prefix: [UInt8]) throws(Fault) -> String {
        var result = prefix
        while let byte = take() {
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
        guard let byte = take() else { throw fault("a string without its end") }
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
        var value = try hexadecimal()
        if value >= 0xD800, value < 0xDC00, take("\\u") {
            let low = try hexadecimal()
            guard low >= 0xDC00, low < 0xE000 else { throw fault("half a surrogate pair in a string") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair in a string") }
        return scalar
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = take() else { throw fault("a string without its end") }
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("an unknown escape in a string")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
