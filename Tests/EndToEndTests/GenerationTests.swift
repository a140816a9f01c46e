import Foundation
import Testing

/// What models write, token for token as transformers' generate: Tools/check_generation.py.
@Suite struct GenerationTests {
    private static let python = Python.with("torch transformers tokenizers safetensors")
    private static let script = Programs.package.appending(path: "Tools/check_generation.py").path
    private static let tokenizers = Programs.package.appending(path: "Tests/TokenizersTests/Fixtures")

    @Test(
        .enabled(if: python != nil, "no Python with torch and transformers; name one by SUPERMERGE_PYTHON"),
        arguments: [("llama3", "llama"), ("gpt2", "gpt2"), ("t5", "t5"), ("t5", "bart")])
    func tokensAreThoseOfTransformers(tokenizer: String, family: String) throws {
        let run = try Execution.run(
            try #require(Self.python),
            [
                Self.script, Programs.merge, Self.tokenizers.appending(path: "\(tokenizer).json").path, "--family",
                family, "--steps", "40",
            ], within: .seconds(900))
        #expect(run.status == 0, "\(run.errors)")
        let report = try run.object()
        #expect(report.count == 2)
        for (rule, told) in report {
            let values = try #require(told as? [String: Any])
            #expect(values["examples"] as? Int == 24, "\(rule)")
        }
    }
}
