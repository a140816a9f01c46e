/// A piece of a template: text, or a token of an expression between `{{ }}` or a statement between `{% %}`.
struct TemplateToken: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case text(String)
        case beginOutput, endOutput, beginTag, endTag
        case name(String)
        case string(String)
        case integer(Int)
        case number(Double)
        /// An operator or a bracket.
        case symbol(String)
        case end
    }

    var kind: Kind
    var line: Int
}

/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` as transformers sets them: a line break behind a
/// tag goes, and so do blanks before one at a line's beginning.
struct TemplateLexer {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private(set) var tokens: [TemplateToken] = []

    /// Throws `TemplateError`.
    static func tokens(of template: String) throws(TemplateError) -> [TemplateToken] {
        // One line break at the template's end goes, as Jinja does without `keep_trailing_newline`.
        var text = template.replacing("\r\n", with: "\n")
        if text.hasSuffix("\n") { text.removeLast() }
        var lexer = TemplateLexer(text)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    private func starts(with text: String, at place: Int) -> Bool {
        var place = place
        for scalar in text.unicodeScalars {
            guard place < scalars.count, scalars[place] == scalar else { return false }
            place += 1
        }
        return true
    }

    private mutating func add(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

    private mutating func run() throws(TemplateError) {
        var stripsNext = false
        while position < scalars.count {
            let start = position
            while position < scalars.count, !Self.openings.contains(where: { starts(with: $0, at: position) }) {
                position += 1
            }
            var text = String(String.UnicodeScalarView(scalars[start..<position]))
            let opening = Self.openings.first { starts(with: $0, at: position) }
            let control = opening == nil || position + 2 >= scalars.count ? nil : scalars[position + 2]
            let lines = text.unicodeScalars.count { $0 == "\n" }
            if stripsNext { text = text.strippingStart() }
            if control == "-" {
                text = text.strippingEnd()
            } else if opening == "{%" || opening == "{#", control != "+" {
                let isAtStart = start == 0 || scalars[start - 1] == "\n"
                text = Self.withoutIndentation(text, isAtStart: isAtStart)
            }
            if !text.isEmpty { add(.text(text)) }
            line += lines
            guard let opening else { return add(.end) }
            position += control == "-" || control == "+" ? 3 : 2
            stripsNext = try opening == "{#" ? comment() : code(isOutput: opening == "{{")
        }
        add(.end)
    }

    private static let openings = ["{{", "{%", "{#"]

    /// Without the blanks behind the last line break.
    private static func withoutIndentation(_ text: String, isAtStart: Bool) -> String {
        let kept = text.unicodeScalars.reversed().drop { $0 == " " || $0 == "\t" }
        guard kept.first == "\n" || kept.isEmpty && isAtStart else { return text }
        return String(String.UnicodeScalarView(kept.reversed()))
    }

    /// Takes the line break behind a tag away.
    private mutating func skipLineBreak() {
        guard position < scalars.count, scalars[position] == "\n" else { return }
        position += 1
        line += 1
    }

    private mutating func comment() throws(TemplateError) -> Bool {
        let start = line
        while position < scalars.count {
            if starts(with: "#}", at: position) {
                let strips = scalars[position - 1] == "-"
                position += 2
                if !strips { skipLineBreak() }
                return strips
            }
            if scalars[position] == "\n" { line += 1 }
            position += 1
        }
        throw .malformed(line: start, "a comment that does not end: expected #}")
    }

    /// Tokens up to the end of a tag; gives whether white space behind it goes.
    private mutating func code(isOutput: Bool) throws(TemplateError) -> Bool {
        add(isOutput ? .beginOutput : .beginTag)
        let (start, close) = (line, isOutput ? "}}" : "%}")
        var depth = 0
        while position < scalars.count {
            let scalar = scalars[position]
            if depth == 0 || !isOutput {
                for prefix in ["-", "+", ""] where starts(with: prefix + close, at: position) {
                    position += prefix.unicodeScalars.count + 2
                    add(isOutput ? .endOutput : .endTag)
                    if !isOutput, prefix.isEmpty { skipLineBreak() }
                    return prefix == "-"
                }
            }
            if scalar == "\n" { line += 1 }
            if scalar.properties.isWhitespace {
                position += 1
            } else if scalar == "'" || scalar == "\"" {
                try string(until: scalar)
            } else if scalar == "_" || scalar.properties.isAlphabetic {
                add(.name(take { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }))
            } else if ("0"..."9").contains(scalar) {
                try number()
            } else {
                if "([{".unicodeScalars.contains(scalar) { depth += 1 }
                if ")]}".unicodeScalars.contains(scalar) { depth -= 1 }
                try symbol()
            }
        }
        throw .malformed(line: start, "a tag that does not end: expected \(close)")
    }

    private mutating func take(while isPart: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while position < scalars.count, isPart(scalars[position]) { position += 1 }
        return String(String.UnicodeScalarView(scalars[start..<position]))
    }

    private mutating func number() throws(TemplateError) {
        let whole = take { ("0"..."9").contains($0) || $0 == "_" }.replacing("_", with: "")
        if position + 1 < scalars.count, scalars[position] == ".", ("0"..."9").contains(scalars[position + 1]) {
            position += 1
            let fraction = take { ("0"..."9").contains($0) }
            return add(.number(Double("\(whole).\(fraction)") ?? 0))
        }
        guard let value = Int(whole) else { throw .malformed(line: line, "the number \(whole) is too large") }
        add(.integer(value))
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "n": "\n", "t": "\t", "r": "\r", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "v": "\u{B}", "\\": "\\", "'": "'",
        "\"": "\"",
    ]
    /// Digits behind them.
    private static let numeric: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]

    /// What stands behind a backslash, as Python's `unicode-escape` has it; at its last character afterwards.
    private mutating func escape(into text: inout String.UnicodeScalarView) throws(TemplateError) {
        let escaped = scalars[position]
        if let control = Self.escapes[escaped] { return text.append(control) }
        // A line break that is escaped is none.
        if escaped == "\n" { return }
        guard let count = Self.numeric[escaped] else {
            guard escaped != "N", !("0"..."7").contains(escaped) else {
                throw .unsupported(line: line, "escape '\\\(escaped)' in a string")
            }
            text.append("\\")
            return text.append(escaped)
        }
        let digits = String(String.UnicodeScalarView(scalars[(position + 1)...].prefix(count)))
        guard digits.utf8.count == count, let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw .malformed(line: line, "invalid escape '\\\(escaped)' in a string") }
        position += count
        text.append(scalar)
    }

    private mutating func string(until quote: Unicode.Scalar) throws(TemplateError) {
        let start = line
        var text = String.UnicodeScalarView()
        position += 1
        while position < scalars.count, scalars[position] != quote {
            if scalars[position] == "\\", position + 1 < scalars.count {
                position += 1
                try escape(into: &text)
            } else {
                text.append(scalars[position])
            }
            if scalars[position] == "\n" { line += 1 }
            position += 1
        }
        guard position < scalars.count else { throw .malformed(line: start, "a string that does not end") }
        position += 1
        add(.string(String(text)))
    }

    private static let symbols = [
        "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}",
        ",",
        ".", ":", "|",
    ]

    private mutating func symbol() throws(TemplateError) {
        guard let found = Self.symbols.first(where: { starts(with: $0, at: position) }) else {
            throw .malformed(line: line, "unexpected character '\(scalars[position])'")
        }
        position += found.unicodeScalars.count
        add(.symbol(found))
    }
}

extension String {
    func strippingStart() -> String {
        String(UnicodeScalarView(unicodeScalars.drop { $0.properties.isWhitespace }))
    }

    func strippingEnd() -> String {
        String(UnicodeScalarView(unicodeScalars.reversed().drop { $0.properties.isWhitespace }.reversed()))
    }
}
