import Testing

@testable import Adapters

/// Which of the patterns that match a module counts: the first, as PEFT's `get_pattern_key` has it.
struct AlphaPatternTests {
    private func alpha(_ pattern: String, of module: String) throws -> Double {
        let text = #"{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "alpha_pattern": \#(pattern)}"#
        return try AdapterConfiguration(Array(text.utf8)).scale(of: module, rank: 1)
    }

    @Test(arguments: [
        (#"{"first": 1, "f.rst": 2}"#, 1.0), (#"{"f.rst": 2, "first": 1}"#, 2), (#"{".*": 3, "first": 1}"#, 3),
        (#"{"second": 1, "f.*": 2, ".*": 3}"#, 2), (#"{"second": 1}"#, 8), ("{}", 8), ("null", 8),
        (#"{"first": 1, "f.*": 2, "first": 3}"#, 3), (#"{"f.*": 2, "first": 1, "f.*": 4}"#, 4),
        (#"{"b": 1, "z.*": 5, "a": 2, "f\u0069rst": 4, "first|b": 6}"#, 4),
    ]) func theFirstThatMatchesCounts(_ pattern: String, _ expected: Double) throws {
        let found = try alpha(pattern, of: "model.first")
        #expect(found == expected)
    }

    /// PEFT reads the file with Python's json, which takes the last.
    @Test func theLastOfARepeatedKeyCounts() throws {
        let text =
            #"{"peft_type": "LORA", "r": 2, "lora_alpha": 800, "r": 4, "lora_alpha": 8, "x": Infinity, "x": null}"#
        let configuration = try AdapterConfiguration(Array(text.utf8))
        #expect(configuration.rank == 4 && configuration.scale(of: "first", rank: 4) == 2)
    }

    @Test(arguments: [[57, 133], [0, 199], [198, 199]]) func manyPatternsKeepTheirOrder(places: [Int]) throws {
        let keys = (0..<200).map { places.contains($0) ? "(f.*|x\($0))" : "m\($0 * 7919 % 200)" }
        let pattern = "{" + keys.enumerated().map { "\"\($1)\": \($0 + 100)" }.joined(separator: ", ") + "}"
        let found = try alpha(pattern, of: "model.first")
        #expect(found == Double(places[0] + 100))
    }

    @Test func aPatternThatCantBeResolvedIsRefusedWhereverItStands() {
        let error = #expect(throws: AdapterError.self) {
            _ = try alpha(#"{".*": 3, "(?!first)": 1}"#, of: "first")
        }
        #expect(error?.description.contains("`alpha_pattern`") == true)
    }
}
