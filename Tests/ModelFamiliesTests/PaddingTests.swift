import ExportedGraph
import ExportedModel
import ModelFamilies
import Testing
import Torch

/// What padding does to the logits.
@Suite struct PaddingTests {
    private func logits(_ name: String, _ tokens: [Int64], mask: [Int64]) throws -> [Float] {
        let fixture = try FamilyFixture(name)
        let model = try ExportedModel(BaseGraph.open(directory: fixture.directory))
        let shape = [1, tokens.count]
        return try model.forward(
            inputs: ["input_ids": Tensor(tokens, shape: shape), "attention_mask": Tensor(mask, shape: shape)],
            parameters: fixture.parameters
        ).floats()
    }

    @Test func aTextWithoutTokensHasAMean() throws {
        let logits = try logits("bert-mean", [4, 5, 6], mask: [0, 0, 0])
        let bias = try #require(try FamilyFixture("bert-mean").parameters["classifier.bias"]).floats()
        #expect(logits == bias)
    }
}
