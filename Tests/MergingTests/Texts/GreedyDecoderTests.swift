import Engine
import Testing
import Tokenizers
import Torch
import WorkerProtocol

@testable import Merging

/// Texts that the tiny models of the neighbouring tests write.
@Suite struct GreedyDecoderTests {
    private static func tokenizer() throws -> Tokenizer {
        let words = (0..<32).map { "\"w\($0)\": \($0)" }.joined(separator: ", ")
        return try Tokenizer(
            json: Array(
                """
                {"pre_tokenizer": {"type": "WhitespaceSplit"},
                 "model": {"type": "WordLevel", "unk_token": "w0", "vocab": {\(words)}}}
                """.utf8))
    }

    /// One token for each pass, computed anew over all that is before it.
    private func plain(
        _ fixture: ObjectiveFixture, _ example: Int, _ prompt: Generation.Prompt, _ name: String, _ most: Int
    ) throws -> [Int64] {
        var written: [Int64] = []
        while written.count < most {
            var inputs = try fixture.set.batch([example]).inputs
            let tokens = prompt.tokens + written
            inputs[name] = try Tensor(tokens, shape: [1, tokens.count])
            if name == "input_ids" {
                inputs["attention_mask"] = try Tensor(tokens.map { _ in 1 as Int64 }, shape: [1, tokens.count])
            }
            let logits = try TorchRuntime.withoutGradients {
                try fixture.model.forward(inputs: inputs, parameters: fixture.parameters)
            }
            written.append(try #require(try logits.argmax().integers().last))
        }
        return written
    }

    @Test(arguments: [("llama", "language-modeling", "input_ids"), ("t5", "sequence-to-sequence", "decoder_input_ids")])
    func aGuessThatIsCheckedChangesNothing(model: (String, String, String)) throws {
        let settings = TaskSettings(objective: .generation, metric: .squadF1, maximumNewTokens: 6)
        var fixture = try ObjectiveFixture(model.0, model.1, settings)
        let generation = Generation(tokenizer: try Self.tokenizer(), settings: GenerationSettings(), maximum: 6)
        let prompts = try fixture.set.prompts(fixture.set.all, fixture.objective)
        let passes = PassCounter()
        let decoder = GreedyDecoder(
            SegmentedModel(fixture.model), ModelWeights(own: fixture.parameters), generation, passes)
        let written = try decoder.write(prompts) { try fixture.set.batch($0).inputs }
        for (example, prompt) in prompts.enumerated() {
            #expect(try plain(fixture, example, prompt, model.2, 6) == written[example])
        }
        // With what it writes for a reference, one pass says so.
        let known = zip(prompts, written).map { Generation.Prompt(tokens: $0.tokens, reference: $1) }
        let before = passes.counts.values.reduce(0) { $0 + $1.forward }
        #expect(try decoder.write(known) { try fixture.set.batch($0).inputs } == written)
        #expect(passes.counts.values.reduce(0) { $0 + $1.forward } == before + 1)

        fixture.objective.generation = generation
        let outcome = try fixture.score()
        #expect(outcome.score.metric == "f1-squad" && outcome.texts.map(\.tokens) == written)
        #expect(abs(outcome.score.value - outcome.texts.reduce(0) { $0 + $1.value } / 6) < 1e-12)
        #expect(outcome.predictions.values.count == 6 && outcome.score.loss > 0)
    }

    @Test func thePromptEndsBeforeTheLastAnswer() throws {
        let prompt = Generation.Prompt(
            tokens: [0, 5, 6, 7, 8, 9, 2, 0], labels: [-100, -100, 6, -100, -100, 9, 2, -100],
            isShown: [false, true, true, true, true, true, true, false])
        #expect(prompt == Generation.Prompt(tokens: [5, 6, 7, 8], reference: [9, 2]))
        #expect(Generation.Prompt(tokens: [5, 6], labels: [5, 6], isShown: [true, true]) == nil)
    }

    @Test func rulesForbidAndForce() {
        var rules = TokenRules()
        let scores: [Float] = [0, 3, 2, 1]
        #expect(rules.areIdle && rules.next(scores, after: [3], prompt: 1, maximum: 4) == 1)
        rules.suppressed = [1]
        #expect(rules.next(scores, after: [3], prompt: 1, maximum: 4) == 2 && !rules.areIdle)
        rules.suppressedFirst = [2]
        #expect(rules.next(scores, after: [3], prompt: 1, maximum: 4) == 3)
        #expect(rules.next(scores, after: [3, 3], prompt: 1, maximum: 4) == 2)
        rules.forcedFirst = 0
        #expect(rules.next(scores, after: [3], prompt: 1, maximum: 4) == 0)
        rules = TokenRules()
        rules.unrepeated = 2
        #expect(rules.next(scores, after: [3, 1, 3], prompt: 1, maximum: 4) == 2)
        rules.repetitionPenalty = 4
        #expect(rules.next(scores, after: [1, 3, 0, 3], prompt: 1, maximum: 4) == 2)
        rules.forcedLast = 0
        #expect(rules.next(scores, after: [3, 1, 3], prompt: 1, maximum: 3) == 0)
    }
}
