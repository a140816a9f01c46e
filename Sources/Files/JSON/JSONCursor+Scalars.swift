/// Numbers and words.
extension JSONCursor {
    /// An integer of 0 or more, without sign, fraction, exponent or leading zeros.
    package mutating func integer() throws(Fault) -> Int64 {
        _ = try peek()
        let digits = bytes[take(while: Self.isDigit)]
        guard let first = digits.first else { throw fault("expected an integer of 0 or more") }
        if digits.count > 1, first == UInt8(ascii: "0") { throw fault("a number with leading zeros") }
        guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { throw fault("a number above 2^63") }
        return value
    }

    /// `null`, `true`, `false` or a number. A number is `.integer` where it is written without fraction and exponent
    /// and fits 64 bits. An integer that does not fit becomes the nearest `Double`.
    package mutating func scalar() throws(Fault) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "n") where take("null"): return .null
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "N") where take("NaN"): return try nonFinite(.nan)
        case UInt8(ascii: "I") where take("Infinity"): return try nonFinite(.infinity)
        case UInt8(ascii: "-") where take("-Infinity"): return try nonFinite(-.infinity)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fault("expected a value")
        }
    }

    private func nonFinite(_ value: Double) throws(Fault) -> JSONValue {
        guard allowsNonFinite else { throw fault("NaN or Infinity, which JSON does not have,") }
        return .number(value)
    }

    /// Number = [-] (0 | 1-9 digits) [. digits] [(e | E) [+ | -] digits].
    private mutating func number() throws(Fault) -> JSONValue {
        let start = position
        _ = take("-")
        let whole = bytes[take(while: Self.isDigit)]
        guard let first = whole.first else { throw fault("expected a digit") }
        if whole.count > 1, first == UInt8(ascii: "0") { throw fault("a number with leading zeros") }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard !take(while: Self.isDigit).isEmpty else { throw fault("expected a digit") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard !take(while: Self.isDigit).isEmpty else { throw fault("expected a digit") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        // Python, too, reads 1e999 as infinity; an integer beyond every double it keeps, and nothing here could.
        guard let value = Double(text), value.isFinite || allowsNonFinite && !isInteger else {
            throw fault("a number beyond the range of a double")
        }
        return .number(value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
