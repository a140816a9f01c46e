import Foundation
import Testing

@testable import Tasks

/// Which head the graph of a pretrained base gets by what its tasks are.
@Suite struct HeadChoiceTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ModelFamiliesTests/Fixtures/bert-masked")
        try registry.write(
            "base/model.safetensors", Array(Data(contentsOf: fixture.appending(path: "model.safetensors"))))
        // The fixture's matrices are drawn one by one, so that words and decoder differ.
        let configuration = try String(contentsOf: fixture.appending(path: "config.json"), encoding: .utf8)
            .replacing("\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false")
        try registry.write("base/config.json", Array(configuration.utf8))
    }

    private func task(_ name: String, _ architecture: String, type: String = "bert") throws {
        let text = #"{"model_type": "\#(type)", "architectures": ["\#(architecture)"]}"#
        try registry.write("tasks/\(name)/config.json", Array(text.utf8))
    }

    private func head(deciding: Set<String> = []) throws -> String? {
        let names = try FileManager.default.contentsOfDirectory(atPath: registry.root + "/tasks").sorted()
        var choice = HeadChoice()
        return choice.head(
            base: UploadLocation(root: registry.root, relative: "base"),
            tasks: names.map { ($0, UploadLocation(root: registry.root, relative: "tasks/\($0)")) }, deciding: deciding)
    }

    @Test func isThatOfMostTasks() throws {
        try task("a", "BertForTokenClassification")
        #expect(try head() == "ForTokenClassification")
        try task("b", "BertForSequenceClassification")
        #expect(try head() == nil)
        try task("c", "BertForTokenClassification")
        #expect(try head() == "ForTokenClassification")
    }

    @Test func isThatOfDeployedTasksWhateverArrives() throws {
        try task("a", "BertForTokenClassification")
        try task("b", "BertForSequenceClassification")
        try task("c", "BertForSequenceClassification")
        #expect(try head(deciding: ["a"]) == "ForTokenClassification")
    }

    @Test func isNotThatOfAModelOfAnotherKind() throws {
        try task("a", "RobertaForTokenClassification", type: "roberta")
        #expect(try head() == nil)
    }

    @Test func isPartOfTheAcceptedBase() async throws {
        #expect(try await registry.settledScan().base.content?.source.head == nil)
        try task("a", "BertForTokenClassification")
        let base = try #require(try await registry.settledScan().base.content)
        #expect(base.source.head == "ForTokenClassification")
        #expect(base.headParameters == ["classifier.weight", "classifier.bias"])
    }

    @Test func oneThatIsNotBuiltLeavesTheBaseAlone() async throws {
        let text = #"{"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_act": "gelu_10"}"#
        try registry.write("tasks/a/config.json", Array(text.utf8))
        let base = try await registry.settledScan().base
        #expect(base.content != nil, "\(base)")
    }
}
