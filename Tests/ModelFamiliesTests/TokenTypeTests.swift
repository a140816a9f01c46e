import ExportedGraph
import ExportedModel
import ModelFamilies
import Testing
import Torch

/// Types of tokens, which tell the second sentence of a pair from the first.
@Suite struct TokenTypeTests {
    private func logits(_ types: Tensor?) throws -> [Float] {
        let fixture = try FamilyFixture("bert-pairs")
        let model = try ExportedModel(BaseGraph.open(directory: fixture.directory))
        var inputs = fixture.inputs("same")
        inputs["token_type_ids"] = types
        return try model.forward(inputs: inputs, parameters: fixture.parameters).floats()
    }

    @Test func whatIsNotGivenIsTheFirstSentence() throws {
        let given = try #require(try FamilyFixture("bert-pairs").inputs("same")["token_type_ids"])
        #expect(try given.integers().contains(1))
        let zeros = try logits(Tensor.zeros(given.shape, .int64))
        #expect(try logits(nil) == zeros)
        #expect(try logits(given) != zeros)
    }

    @Test func onlyAModelWithMoreThanOneTypeTakesThem() throws {
        let pairs = try BaseGraph.open(directory: FamilyFixture.path("bert")).signature.inputs
        #expect(pairs.map(\.name) == ["input_ids", "attention_mask", "token_type_ids"])
        #expect(pairs.map(\.rule.zerosLike) == [nil, nil, "input_ids"])
        for name in ["roberta", "distilbert", "gpt2"] {
            let inputs = try BaseGraph.open(directory: FamilyFixture.path(name)).signature.inputs
            #expect(inputs.map(\.name) == ["input_ids", "attention_mask"], "\(name)")
        }
    }

    @Test func withoutTokensNothingSaysHowManyZeros() throws {
        let fixture = try FamilyFixture("bert-pairs")
        let model = try ExportedModel(BaseGraph.open(directory: fixture.directory))
        var inputs = fixture.inputs("same")
        inputs["input_ids"] = nil
        #expect(throws: ExportedModelError.self) {
            try model.forward(inputs: inputs, parameters: fixture.parameters)
        }
    }
}
