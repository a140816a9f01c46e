import Testing

@testable import Adapters

/// What matches is what Python says of `re.match(rf"(.*\.)?({key})$", module)`, which PEFT's `get_pattern_key` asks.
struct ModulePatternTests {
    @Test(arguments: [
        ("query", "layer.0.query", true), ("query", "layer.0.subquery", false), ("0.query", "layer.0.query", true),
        ("^layer.0.query", "layer.0.query", true), ("^query", "layer.0.query", false),
        ("layer.query", "layer-query", true),
        ("layer\\.query", "layer-query", false), ("query$", "a.query", true), ("longer.than.that", "that", false),
    ]) func matchesLikeTheExpressionThatItIs(_ key: String, _ module: String, _ matches: Bool) throws {
        #expect(try #require(ModulePattern(key)).matches(module) == matches)
    }

    @Test(
        arguments: [
            ("layer.*.query", "layer.3.self.query", true), ("layer.*.query", "layer.query", true),
            ("layer.*.query", "layerquery", false),
            ("layer.[0-5].query", "model.layer.5.query", true), ("layer.[0-5].query", "model.layer.6.query", false),
            ("layers\\.\\d+\\.q", "layers.12.q", true), ("layers\\.\\d+\\.q", "layers..q", false),
            ("(a|b)", "x.b", true), ("(a|b)", "x.ab", false), ("a|b.c", "b.c", true), ("a|b.c", "x.a", true),
            ("(?:q|v)_proj", "m.v_proj", true), ("(q|v)_proj", "m.k_proj", false), ("a+", "aaa", true),
            ("a+", "", false),
            ("ab?", "a", true), ("ab?", "abb", false), ("(ab)*c", "ababc", true), ("(ab)*c", "abac", false),
            ("[^0-9]+", "x.abc", true), ("[^0-9]+", "a1", false), ("[a.-]+", "a-.a", true), ("\\d", "layer.7", true),
            ("^layer.*", "layer.0", true), ("^layer.*", "m.layer.0", false), ("a*?b", "aab", true),
            ("^a$|^b$", "b", true),
            ("^a$|^b$", "x.b", false), ("(^a|b)c", "x.bc", true), ("(^a|b)c", "x.ac", false), ("a||b", "b", true),
            ("a.*", "b.a", true), (".*", "", true),
        ] as [(String, String, Bool)]) func matchesAsPythonDoes(_ key: String, _ module: String, _ matches: Bool) throws
    {
        #expect(try #require(ModulePattern(key)).matches(module) == matches)
    }

    @Test(arguments: [
        "", "^$", "()", "a{2}", "(?!a)b", "(?i)a", "\\w", "\\bq", "a**", "a*+", "^*a", "*a", "(a", "a)", "[a", "[]",
        "[]a]",
        "[[:alpha:]]", "[z-a]", "[\\d-z]\\1", "a\\", "é", String(repeating: "(", count: 40) + "a",
        String(repeating: "a", count: 1000),
    ]) func whatIsNotKnownIsNotGuessed(_ key: String) { #expect(ModulePattern(key) == nil) }

    /// In Python this takes longer than anyone waits.
    @Test func noExpressionTakesForever() throws {
        let pattern = try #require(ModulePattern("((a*)*)*b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
        #expect(pattern.matches(String(repeating: "a", count: 2000) + "b"))
    }

    @Test func twoKeysAreTwoPatterns() throws {
        #expect(try #require(ModulePattern("a")) != #require(ModulePattern("(?:a)")))
    }
}
