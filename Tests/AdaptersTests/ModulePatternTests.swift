import Testing

@testable import Adapters

struct ModulePatternTests {
    @Test(arguments: [
        ("query", "layer.0.query", true), ("query", "layer.0.subquery", false), ("0.query", "layer.0.query", true),
        ("^layer.0.query", "layer.0.query", true), ("^query", "layer.0.query", false),
        ("layer.query", "layer-query", true),
        ("layer\\.query", "layer-query", false), ("query$", "a.query", true), ("longer.than.that", "that", false),
    ]) func matchesLikeTheExpressionThatItIs(_ key: String, _ module: String, _ matches: Bool) throws {
        #expect(try #require(ModulePattern(key)).matches(module) == matches)
    }

    @Test(arguments: ["layer.*.query", "layer.[0-5].query", "(a|b)", "\\d", "", "^$", "a+", "a?"])
    func expressionsBeyondNamesAreNotGuessed(_ key: String) { #expect(ModulePattern(key) == nil) }
}
