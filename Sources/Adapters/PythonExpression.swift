/// Regular expressions of Python's `re`, written for RE2.
///
/// Both know: literals, `.`, classes with ranges and negation, escaped punctuation, groups `( )`, `(?: )` and
/// `(?P<name> )`, `|`, `*`, `+`, `?`, `{n}`, `{n,}` and `{n,m}`, each also lazy, `^`, `$` and `\A`. `\d`, `\w` and `\s`
/// are Unicode's to Python and ASCII's to RE2, and are written as Unicode classes. RE2 itself refuses lookaround,
/// backreferences and possessive repetition. Refused here is what only RE2 knows, and what the two read differently:
/// flags, `\b`, POSIX classes, `{,n}`.
struct PythonExpression {
    /// Letters that stand for one character behind a backslash.
    private static let escapes = Set("nrtfv".utf8)

    private var rest: ArraySlice<UInt8>
    private var written: [UInt8] = []
    /// Whether something that may be repeated stands before: not the beginning of a group or alternative, nor an
    /// anchor.
    private var isRepeatable = false

    private init(_ expression: String) { rest = Array(expression.utf8)[...] }

    /// The expression as RE2 has to read it; nil where that is not known.
    static func forRE2(_ expression: String) -> String? {
        var reader = PythonExpression(expression)
        guard reader.translate() else { return nil }
        return String(decoding: reader.written, as: UTF8.self)
    }

    private mutating func translate() -> Bool {
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return false }
                if next == UInt8(ascii: "A") {
                    written += "\\A".utf8
                    isRepeatable = false
                    continue
                }
                guard let text = Self.escape(next) else { return false }
                written += text.utf8
                isRepeatable = true
            case UInt8(ascii: "["):
                guard takeClass() else { return false }
                isRepeatable = true
            case UInt8(ascii: "("):
                written.append(byte)
                guard takeGroupKind() else { return false }
                isRepeatable = false
            case UInt8(ascii: "|"), UInt8(ascii: "^"), UInt8(ascii: "$"):
                written.append(byte)
                isRepeatable = false
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"):
                guard isRepeatable, takeRepetition(byte) else { return false }
                isRepeatable = false
            case UInt8(ascii: "}"): return false
            default:
                written.append(byte)
                isRepeatable = true
            }
        }
        return true
    }

    /// What stands behind a backslash, outside a class.
    private static func escape(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "w"): "[\\p{L}\\p{N}_]"
        case UInt8(ascii: "W"): "[^\\p{L}\\p{N}_]"
        case UInt8(ascii: "s"): "[\\s\\v\\x1C-\\x1F\\x{85}\\p{Z}]"
        case UInt8(ascii: "S"): "[^\\s\\v\\x1C-\\x1F\\x{85}\\p{Z}]"
        default: classEscape(byte)
        }
    }

    /// The same inside a class, where Python's `\W` and `\S` have no counterpart.
    private static func classEscape(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "d"): return "\\p{Nd}"
        case UInt8(ascii: "D"): return "\\P{Nd}"
        case UInt8(ascii: "w"): return "\\p{L}\\p{N}_"
        case UInt8(ascii: "s"): return "\\s\\v\\x1C-\\x1F\\x{85}\\p{Z}"
        case UInt8(ascii: "_"): return "_"
        default:
            guard byte < 0x80 else { return nil }
            let scalar = Unicode.Scalar(byte)
            let isPunctuation = byte > 0x20 && byte < 0x7F && !("0"..."9").contains(scalar)
            return escapes.contains(byte) || isPunctuation && !scalar.properties.isAlphabetic ? "\\\(scalar)" : nil
        }
    }

    /// The rest of `[…]`. A bracket inside is a POSIX class to RE2 and a warning to Python; so are two signs of one
    /// kind to a Python of tomorrow.
    private mutating func takeClass() -> Bool {
        written.append(UInt8(ascii: "["))
        if rest.first == UInt8(ascii: "^") { written.append(rest.removeFirst()) }
        var isFirst = true
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "]") where !isFirst:
                written.append(byte)
                return true
            case UInt8(ascii: "["): return false
            case UInt8(ascii: "-"), UInt8(ascii: "&"), UInt8(ascii: "~"), UInt8(ascii: "|"):
                guard rest.first != byte else { return false }
                written.append(byte)
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst(), let text = Self.classEscape(next) else { return false }
                written += text.utf8
            default: written.append(byte)
            }
            isFirst = false
        }
        return false
    }

    /// What follows an opening parenthesis: nothing, `?:`, or `?P<name>`.
    private mutating func takeGroupKind() -> Bool {
        guard rest.first == UInt8(ascii: "?") else { return true }
        let end: Int
        if rest.starts(with: "?:".utf8) {
            end = rest.startIndex + 1
        } else {
            guard rest.starts(with: "?P<".utf8), let bracket = rest.firstIndex(of: UInt8(ascii: ">")) else {
                return false
            }
            end = bracket
        }
        written += rest[...end]
        rest = rest[(end + 1)...]
        return true
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}`, and whether it is lazy. To Python `{,3}` repeats, to RE2 it is a text.
    private mutating func takeRepetition(_ sign: UInt8) -> Bool {
        written.append(sign)
        if sign == UInt8(ascii: "{") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return false }
            let bounds = rest[..<end].split(
                separator: UInt8(ascii: ","), maxSplits: 1, omittingEmptySubsequences: false)
            let numbers = bounds.map { Int(String(decoding: $0, as: UTF8.self)) }
            guard let least = numbers[0], least >= 0 else { return false }
            if bounds.count == 2, !bounds[1].isEmpty {
                guard let most = numbers[1], most >= least else { return false }
            }
            written += rest[...end]
            rest = rest[(end + 1)...]
        }
        if rest.first == UInt8(ascii: "?") { written.append(rest.removeFirst()) }
        return true
    }
}
