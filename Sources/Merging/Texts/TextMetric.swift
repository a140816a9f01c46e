internal import WorkerProtocol

/// How well a text agrees with its references, 0 to 1: the best over the references, as SQuAD's evaluation takes it.
enum TextMetric {
    /// `metric`: one of `Metric.ofTexts`; 0 for any other, and without references.
    static func value(_ metric: Metric, _ text: String, references: [String]) -> Double {
        references.map { value(metric, text, $0) }.max() ?? 0
    }

    private static func value(_ metric: Metric, _ text: String, _ reference: String) -> Double {
        switch metric {
        case .exactMatch: NormalizedText(text) == NormalizedText(reference) ? 1 : 0
        case .squadF1: NormalizedText(text).f1(NormalizedText(reference))
        case .contains: NormalizedText(text).contains(NormalizedText(reference)) ? 1 : 0
        case .rougeL: RougeL.value(text, reference)
        default: 0
        }
    }
}

/// A text as the evaluation of SQuAD compares it: in lower case, without ASCII punctuation, without the articles a, an
/// and the, its words apart by one space.
struct NormalizedText: Hashable {
    let words: [String]

    private static let articles: Set = ["a", "an", "the"]

    init(_ text: String) {
        let scalars = text.lowercased().unicodeScalars.filter { !Self.isPunctuation($0) }
        var kept = String.UnicodeScalarView()
        var word = String.UnicodeScalarView()
        func flush() {
            kept.append(contentsOf: Self.articles.contains(String(word)) ? " ".unicodeScalars : word)
            word = String.UnicodeScalarView()
        }
        for scalar in scalars {
            if Self.isAlphanumeric(scalar) {
                word.append(scalar)
            } else {
                flush()
                kept.append(scalar)
            }
        }
        flush()
        words = kept.split(whereSeparator: Self.isSpace).map(String.init)
    }

    /// The harmonic mean of precision and recall over the words, each as often as both have it. Where either has no
    /// words, whether both have none.
    func f1(_ reference: NormalizedText) -> Double {
        guard !words.isEmpty, !reference.words.isEmpty else { return words.isEmpty && reference.words.isEmpty ? 1 : 0 }
        var counts: [String: Int] = [:]
        for word in reference.words { counts[word, default: 0] += 1 }
        var common = 0
        for word in words where counts[word, default: 0] > 0 {
            counts[word, default: 0] -= 1
            common += 1
        }
        guard common > 0 else { return 0 }
        let (precision, recall) = (Double(common) / Double(words.count), Double(common) / Double(reference.words.count))
        return 2 * precision * recall / (precision + recall)
    }

    /// Whether the reference's normalised text is a part of this one.
    func contains(_ reference: NormalizedText) -> Bool {
        let (own, part) = (words.joined(separator: " "), reference.words.joined(separator: " "))
        guard !part.isEmpty else { return own.isEmpty }
        return Array(own.utf8).firstRange(of: Array(part.utf8)) != nil
    }

    /// Python's `string.punctuation`.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// Python's `str.isalnum`: letters and numbers, no marks.
    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            true
        default: false
        }
    }

    /// Python's `str.isspace`.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
}
