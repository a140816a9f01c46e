internal import Files
internal import Foundation

/// One step that changes a text before it is split, as the `normalizer` of tokenizer.json names it.
indirect enum Normalizer: Sendable {
    case sequence([Normalizer])
    case bert(BertNormalizer)
    case form(UnicodeForm)
    case lowercase
    case stripAccents
    case strip(left: Bool, right: Bool)
    case replace(Pattern, with: String)
    case prepend(String)
    case precompiled(PrecompiledMap)
    case byteLevel
    case nmt

    enum UnicodeForm: String, Sendable { case nfc = "NFC", nfd = "NFD", nfkc = "NFKC", nfkd = "NFKD" }

    func apply(_ text: String) throws(TokenizerError) -> String {
        switch self {
        case .sequence(let steps):
            var text = text
            let limit = TextLimit("normalizer", of: text.utf8.count)
            for step in steps {
                text = try step.apply(text)
                try limit.check(text.utf8.count)
            }
            return text
        case .bert(let normalizer): return normalizer.apply(text)
        case .form(let form): return form.apply(text)
        case .lowercase: return text.lowercasedByScalar()
        case .stripAccents:
            if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
            return text.filteringScalars { !$0.isMark }
        case .strip(let left, let right): return Self.strip(text, left, right)
        case .replace(let pattern, let content): return try Self.replace(pattern, content, in: text)
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        case .precompiled(let map): return map.apply(text)
        case .byteLevel: return ByteAlphabet.encode(Array(text.utf8)[...])
        case .nmt: return Self.nmt(text)
        }
    }

    /// Whether a step but `precompiled` takes the first character out: the library goes by where a text began before it
    /// was normalized, and its precompiled step alone keeps that.
    func filtersFirst(of text: String) throws(TokenizerError) -> Bool {
        guard let scalar = text.unicodeScalars.first else { return false }
        var first = String(Character(scalar))
        let steps: [Normalizer] = if case .sequence(let steps) = self { steps } else { [self] }
        for step in steps {
            first = try step.apply(first)
            if first.isEmpty {
                if case .precompiled = step { return false }
                return true
            }
        }
        return false
    }

    private static func strip(_ text: String, _ left: Bool, _ right: Bool) -> String {
        var scalars = text.unicodeScalars[...]
        if left { while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() } }
        if right { while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() } }
        return String(scalars)
    }

    private static func replace(
        _ pattern: Pattern, _ content: String, in text: String
    ) throws(TokenizerError) -> String {
        let bytes = Array(text.utf8)
        let matches = try pattern.matches(in: bytes)
        guard !matches.isEmpty else { return text }
        try TextLimit("normalizer", of: bytes.count).check(matches, by: content)
        var result: [UInt8] = []
        var position = 0
        for match in matches {
            result += bytes[position..<match.lowerBound]
            result += content.utf8
            position = match.upperBound
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }

    /// The control characters that sentencepiece's nmt rules drop, and the spaces that they unify.
    private static func nmt(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: continue
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
                result.append(" ")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

extension Normalizer.UnicodeForm {
    /// Characters that Unicode 9 does not have neither decompose nor move, as in the tables of the `tokenizers`
    /// library.
    func apply(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        var result = ""
        var run = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.isAssigned(in: 9) {
                run.append(contentsOf: Self.decomposedVowel(scalar))
            } else {
                result += normalized(String(run))
                run = String.UnicodeScalarView()
                result.unicodeScalars.append(scalar)
            }
        }
        return result + normalized(String(run))
    }

    /// The Tibetan vowel signs that Foundation leaves whole among other marks.
    private static func decomposedVowel(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar.value {
        case 0x0F73: ["\u{0F71}", "\u{0F72}"]
        case 0x0F75: ["\u{0F71}", "\u{0F74}"]
        case 0x0F81: ["\u{0F71}", "\u{0F80}"]
        default: [scalar]
        }
    }

    private func normalized(_ text: String) -> String {
        switch self {
        case .nfc: return text.precomposedStringWithCanonicalMapping
        case .nfd: return text.decomposedStringWithCanonicalMapping
        case .nfkc: return text.precomposedStringWithCompatibilityMapping
        case .nfkd: return text.decomposedStringWithCompatibilityMapping
        }
    }
}

/// BERT's: control characters out, white space to spaces, CJK ideographs set apart, accents out, lower case; each where
/// it is on.
struct BertNormalizer: Sendable {
    var cleansText = true
    var setsIdeographsApart = true
    /// Nil: as `lowercases`.
    var stripsAccents: Bool?
    var lowercases = true

    func apply(_ text: String) -> String {
        var text = text
        if cleansText { text = Self.cleaned(text) }
        if setsIdeographsApart { text = Self.withSpacesAroundIdeographs(text) }
        if stripsAccents ?? lowercases {
            text = Normalizer.UnicodeForm.nfd.apply(text).filteringScalars {
                !$0.isNonspacingMark
            }
        }
        return lowercases ? text.lowercasedByScalar() : text
    }

    private static func cleaned(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar.value != 0 && scalar.value != 0xFFFD {
            switch scalar {
            case "\t", "\n", "\r": result.append(" ")
            case _ where scalar.isOther: continue
            case _ where scalar.properties.isWhitespace: result.append(" ")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func withSpacesAroundIdeographs(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isIdeograph) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isIdeograph(scalar) {
                result.append(" ")
                result.append(scalar)
                result.append(" ")
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }
}
