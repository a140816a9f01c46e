import Foundation
import Testing

@testable import Tokenizers

/// Patterns against the `tokenizers` library's Oniguruma (Tools/make_pattern_fixtures.py).
@Suite struct PatternTests {
    private struct Case: Decodable {
        var pattern: String
        var text: String
        var behavior: String
        /// Nil where the library does not load the pattern.
        var pieces: [String]?
    }

    private static func cases() throws -> [Case] {
        let file = try #require(Bundle.module.resourceURL).appending(path: "Fixtures/patterns.json")
        return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
    }

    private static let behaviors: [String: SplitBehavior] = [
        "removed": .removed, "isolated": .isolated, "merged_with_previous": .mergedWithPrevious,
        "merged_with_next": .mergedWithNext, "contiguous": .contiguous,
    ]

    private func pieces(_ item: Case) throws -> [String] {
        let whole = Piece(bytes: Array(item.text.utf8), isFirst: true)
        let behavior = try #require(Self.behaviors[item.behavior])
        let split = PreTokenizer.split(try Pattern(regex: item.pattern), behavior, isInverted: false)
        return try split.apply([whole]).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The same pieces, or a refusal; never other pieces.
    @Test func splitsAsOnigurumaDoesOrRefuses() throws {
        var compared = 0
        for item in try Self.cases() {
            let found: [String]
            do {
                found = try pieces(item)
            } catch TokenizerError.unsupported, TokenizerError.pattern {
                continue
            }
            let wanted = try #require(item.pieces, "\(item.pattern)")
            let isEqual = found.elementsEqual(wanted) { $0.unicodeScalars.elementsEqual($1.unicodeScalars) }
            #expect(isEqual, "\(item.pattern), \(item.behavior): \(found), and not \(wanted)")
            compared += 1
        }
        #expect(compared >= 98)
    }

    @Test(arguments: [
        ("[a&&[^b]]", "an intersection of classes, &&"), ("[a[^b]]", "a class inside of a class, [^ ]"),
        (#"\y"#, #"\y"#), (#"\C"#, #"\C"#), (#"\O"#, #"\O"#), ("(?~ab)", "(?~"), ("(?|a)", "(?|"), ("(*FAIL)", "(*"),
        ("(?P<n>a)", "(?P"), ("(?s)a", "(?s"), ("x(?i)a", "(?i)"), ("a{1,2}+", "{1,2}+"), ("a{2}?", "{2}?"),
        (#"\xe9"#, #"\x"#), ("[[:word:]]", "[:word:]"), (#"[\W]"#, #"\W in a class"#), (#"\Qa\E"#, #"\Q"#),
        (#"\g<1>"#, #"\g"#), (#"\pL"#, #"\p without {"#), ("[a", "[ without ]"),
    ]) func refusesConstructByName(pattern: String, name: String) {
        #expect(throws: TokenizerError.unsupported(component: "construct in a pattern", name: name)) {
            try Pattern(regex: pattern)
        }
    }
}
