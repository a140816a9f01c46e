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

    @Test(arguments: ["llama", "llama-banded"]) func distancesDoNotMindPaddingBeforeTheText(name: String) throws {
        let text: [Int64] = [4, 5, 6, 7]
        let alone = try logits(name, text, mask: [1, 1, 1, 1])
        let behind = try logits(name, [9, 9] + text, mask: [0, 0, 1, 1, 1, 1])
        let areFinite = behind.allSatisfy(\.isFinite)
        #expect(areFinite)
        let largest = alone.map(abs).max() ?? 0
        let difference = zip(alone, behind.suffix(alone.count)).map { abs($0 - $1) }.max() ?? .infinity
        #expect(difference < 1e-5 * largest)
    }

    @Test func aTextWithoutTokensHasAMean() throws {
        let logits = try self.logits("bert-mean", [4, 5, 6], mask: [0, 0, 0])
        let bias = try #require(try FamilyFixture("bert-mean").parameters["classifier.bias"]).floats()
        #expect(logits == bias)
    }
}
