import Foundation
import Registry
import Testing

/// What is said of an adapter that names another base than this one.
@Suite struct BaseNameTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
    }

    /// The warnings about an adapter that names this base.
    private func warnings(_ named: String, base: [String: String] = [:]) async throws -> [String] {
        for (name, text) in base { try registry.write("base/" + name, Array(text.utf8)) }
        let prefix = "base_model.model."
        try registry.write(
            "tasks/t/adapter_model.safetensors",
            TestTensor.file([
                TestTensor(prefix + "trunk.lora_A.weight", [2, 3], [1, 2, 3, 4, 5, 6]),
                TestTensor(prefix + "trunk.lora_B.weight", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "head.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
                TestTensor(prefix + "head.bias", [2], [0, 0]),
            ]))
        let configuration = """
            {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["trunk"],
            "base_model_name_or_path": "\(named)"}
            """
        try registry.write("tasks/t/adapter_config.json", Array(configuration.utf8))
        try registry.write("tasks/t/validation.safetensors", TestTensor.file(TestRegistry.validation()))
        let task = try #require(try await registry.settledScan().tasks["t"]?.content)
        return task.source.warnings
    }

    private static let stated = ["config.json": #"{"_name_or_path": "org/One-7B"}"#]

    @Test(arguments: [
        "org/one-7b", "/home/me/models/One-7B/", "someone/one-7b-bnb-4bit", "unsloth/One-7B-unsloth-bnb-4bit",
        "/root/.cache/huggingface/hub/models--org--One-7B/snapshots/0a1b", "C:\\\\models\\\\One-7B",
    ]) func takesOtherNamesOfTheSameModel(_ named: String) async throws {
        #expect(try await warnings(named, base: Self.stated) == [])
    }

    @Test(arguments: ["org/one-7b-instruct", "someone/another", "/models/two-7b"])
    func warnsOfAnotherModel(_ named: String) async throws {
        let found = try await warnings(named, base: Self.stated)
        #expect(found.count == 1 && found[0].contains("\"\(named)\"") && found[0].contains("org/One-7B"), "\(found)")
    }

    @Test func saysNothingWhereTheBaseHasNoName() async throws {
        for named in ["org/one-7b", "gpt2-large", "bert-base-uncased"] {
            #expect(try await warnings(named) == [], "\(named)")
        }
    }

    @Test(arguments: ["/tmp/sft/checkpoint-500", "./base", "checkpoint-500", "outputs/final", "base", ""])
    func aPathOfTheTrainingMachineTellsNothing(_ named: String) async throws {
        #expect(try await warnings(named) == [])
    }
}
