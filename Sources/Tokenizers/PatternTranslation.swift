/// Oniguruma's syntax, which tokenizer.json has, to PCRE2's.
///
/// Most of it is the same. What means something else there is written as PCRE2 has it: `^`, `$`, `(?m)`, `\s`, `\w`,
/// `\b`, `\h`, `\v`, `{,n}`, classes inside of classes. The rest is refused by its name, since PCRE2 would take it for
/// something else and no error would tell.
struct PatternTranslation {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var result = ""

    /// Throws `TokenizerError.unsupported`.
    static func pcre2(of oniguruma: String) throws(TokenizerError) -> String {
        var translation = PatternTranslation(scalars: Array(oniguruma.unicodeScalars))
        try translation.run()
        return translation.result
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private static let word = #"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}"#
    private static let space = #"\p{White_Space}"#
    private static let hexadecimal = "0-9a-fA-F"
    private static let boundary = "(?:(?<=[\(word)])(?![\(word)])|(?<![\(word)])(?=[\(word)]))"
    private static let noBoundary = "(?:(?<=[\(word)])(?=[\(word)])|(?<![\(word)])(?![\(word)]))"

    private func starts(with text: String) -> Bool { scalars[position...].starts(with: text.unicodeScalars) }

    private mutating func take() -> Unicode.Scalar? {
        guard position < scalars.count else { return nil }
        defer { position += 1 }
        return scalars[position]
    }

    private mutating func take(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    private func unsupported(_ construct: String) -> TokenizerError {
        .unsupported(component: "construct in a pattern", name: construct)
    }

    private mutating func run() throws(TokenizerError) {
        while let scalar = take() {
            switch scalar {
            case "\\": try escape()
            case "[": result += "[\(try members())]"
            case "(": try group()
            case "{": try interval()
            case "^": result += "(?m:^)"
            case "$": result += "(?m:$)"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    /// What stands behind a backslash outside of classes.
    private mutating func escape() throws(TokenizerError) {
        guard let scalar = take() else { throw unsupported("\\") }
        switch scalar {
        case "s": result += Self.space
        case "S": result += #"\P{White_Space}"#
        case "w": result += "[\(Self.word)]"
        case "W": result += "[^\(Self.word)]"
        case "b": result += Self.boundary
        case "B": result += Self.noBoundary
        case "h": result += "[\(Self.hexadecimal)]"
        case "H": result += "[^\(Self.hexadecimal)]"
        case "k":
            guard starts(with: "<") else { throw unsupported("\\k") }
            result += "\\k"
        case "R", "X", "N", "A", "z", "Z", "K", "G": result += "\\\(scalar)"
        default: result += try common(scalar)
        }
    }

    /// An escape that means the same inside and outside of classes.
    private mutating func common(_ scalar: Unicode.Scalar) throws(TokenizerError) -> String {
        switch scalar {
        case "d", "D", "t", "n", "r", "f", "a", "e": return "\\\(scalar)"
        case "v": return #"\x{0B}"#
        case "0"..."9": return "\\\(scalar)"
        case "x":
            if starts(with: "{") { return try "\\x" + braces() }
            // Above ASCII it is a byte of UTF-8 there, a character here.
            guard let value = hexadecimal(2), value < 0x80 else { throw unsupported("\\x") }
            return "\\x{\(String(value, radix: 16))}"
        case "u":
            guard let value = hexadecimal(4) else { throw unsupported("\\u") }
            return "\\x{\(String(value, radix: 16))}"
        case "p", "P":
            guard starts(with: "{") else { throw unsupported("\\\(scalar) without {") }
            return try "\\\(scalar)" + braces()
        case "A"..."Z", "a"..."z": throw unsupported("\\\(scalar)")
        default: return "\\\(scalar)"
        }
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        guard position + count <= scalars.count else { return nil }
        let digits = String(String.UnicodeScalarView(scalars[position..<position + count]))
        guard let value = UInt32(digits, radix: 16) else { return nil }
        position += count
        return value
    }

    /// `{…}` as it stands there.
    private mutating func braces() throws(TokenizerError) -> String {
        guard let end = scalars[position...].firstIndex(of: "}") else { throw unsupported("{ without }") }
        defer { position = end + 1 }
        return String(String.UnicodeScalarView(scalars[position...end]))
    }

    private static let posix = [
        "alpha": "Alphabetic", "digit": "Nd", "lower": "Lowercase", "upper": "Uppercase", "space": "White_Space",
    ]

    /// The members of a class behind its bracket, and the bracket at its end.
    private mutating func members(isNested: Bool = false) throws(TokenizerError) -> String {
        var members = ""
        if take("^") {
            guard !isNested else { throw unsupported("a class inside of a class, [^ ]") }
            members += "^"
        }
        if take("]") { members += "\\]" }
        while let scalar = take() {
            switch scalar {
            case "]": return members
            case "[":
                guard take(":") else {
                    members += try self.members(isNested: true)
                    continue
                }
                members += try posixClass()
            case "&" where starts(with: "&"): throw unsupported("an intersection of classes, &&")
            case "\\":
                guard let escaped = take() else { break }
                switch escaped {
                case "s": members += Self.space
                case "S": members += #"\P{White_Space}"#
                case "w": members += Self.word
                case "h": members += Self.hexadecimal
                case "b": members += "\\b"
                case "W", "H": throw unsupported("\\\(escaped) in a class")
                default: members += try common(escaped)
                }
            default: members.unicodeScalars.append(scalar)
            }
        }
        throw unsupported("[ without ]")
    }

    /// `alpha:]`, and `^alpha:]`.
    private mutating func posixClass() throws(TokenizerError) -> String {
        let isNegated = take("^")
        let start = position
        while position < scalars.count, scalars[position].properties.isAlphabetic { position += 1 }
        let name = String(String.UnicodeScalarView(scalars[start..<position]))
        guard take(":]") else { throw unsupported("[:\(name)") }
        if name == "punct" { return isNegated ? "[:^punct:]" : "[:punct:]" }
        guard let property = Self.posix[name] else { throw unsupported("[:\(name):]") }
        return (isNegated ? #"\P{"# : #"\p{"#) + property + "}"
    }

    private static let groups = ["?:", "?=", "?!", "?<=", "?<!", "?>"]

    /// What stands behind an opening parenthesis.
    private mutating func group() throws(TokenizerError) {
        if starts(with: "*") { throw unsupported("(*") }
        guard starts(with: "?") else { return result += "(" }
        if let known = Self.groups.first(where: starts) {
            result += "(" + known
            position += known.unicodeScalars.count
            return
        }
        if starts(with: "?<") { return result += "(" }
        let start = position
        position += 1
        var flags = ""
        while let scalar = take() {
            switch scalar {
            case "i", "-": flags.unicodeScalars.append(scalar)
            case "m": flags += "s"
            case ":": return result += "(?\(flags):"
            // Oniguruma ends such a part at the next alternative.
            case ")" where start == 1: return result += "(?\(flags))"
            default:
                let read = String(String.UnicodeScalarView(scalars[start..<position]))
                throw unsupported("(\(read)")
            }
        }
        throw unsupported("( without )")
    }

    /// `{n}`, `{n,m}` and `{,m}` behind an opening brace; anything else is a brace.
    private mutating func interval() throws(TokenizerError) {
        guard let end = scalars[position...].firstIndex(of: "}") else { return result += "\\{" }
        let text = String(String.UnicodeScalarView(scalars[position..<end]))
        let bounds = text.split(separator: ",", omittingEmptySubsequences: false)
        let areNumbers = bounds.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard areNumbers, text != "", text != ",", bounds.count <= 2 else { return result += "\\{" }
        position = end + 1
        result += bounds.count == 2 && bounds[0].isEmpty ? "{0\(text)}" : "{\(text)}"
        if starts(with: "+") || bounds.count == 1 && starts(with: "?") {
            throw unsupported("{\(text)}\(scalars[position])")
        }
    }
}
