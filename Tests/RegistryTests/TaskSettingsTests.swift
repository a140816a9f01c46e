import Foundation
import Tasks
import Testing
import WorkerProtocol

@testable import Registry

@Suite struct TaskSettingsTests {
    private func refusal(_ text: [UInt8]) -> String? {
        do {
            _ = try TaskSettingsFile.parse(text)
            return nil
        } catch {
            guard case .refused("task-settings", let message) = error else { return "another fault: \(error)" }
            return message
        }
    }

    @Test func everyKey() throws {
        let settings = try TaskSettingsFile.parse(
            Array("objective: language-modeling\nhead: [lm_head., 'a*']\nweight: 2.5\nmaximum-regression: 0\n".utf8))
        #expect(
            settings
                == TaskSettings(
                    objective: .languageModeling, head: ["lm_head.", "a*"], weight: 2.5, maximumRegression: 0))
        #expect(try TaskSettingsFile.parse(Array("# nothing\n".utf8)) == TaskSettings())
        #expect(try TaskSettingsFile.parse(Array("head: classifier.".utf8)).head == ["classifier."])
    }

    @Test func allFaultsAtOnce() throws {
        let message = try #require(
            refusal(Array("objective: guess\nweight: -1\nmaximum-regression: .nan\nhead: {a: b}\nlabels: x\n".utf8)))
        for word in ["objective", "weight", "maximum-regression", "head", "labels"] {
            #expect(message.contains("`\(word)`"), "\(message)")
        }
        #expect(!message.contains("\n"))
    }

    @Test(arguments: ["a: &a [x]\nhead: *a", "? &a [1]\n: 2", "- &a b\n- *a"]) func aliases(text: String) {
        #expect(refusal(Array(text.utf8))?.contains("aliases") == true)
    }

    @Test func nestedTooDeeply() {
        #expect(refusal([UInt8](repeating: UInt8(ascii: "["), count: 60_000)) != nil)
        #expect(refusal(Array(String(repeating: "- ", count: 30_000).utf8)) != nil)
        #expect(refusal(Array(String(repeating: "? ", count: 30_000).utf8)) != nil)
    }

    @Test(arguments: ["weight: 1\nweight: 2", "weight: [1", "- a", "x", "\"\\ud800\""]) func notAMapping(text: String) {
        #expect(refusal(Array(text.utf8)) != nil)
    }

    @Test func notUTF8() { #expect(refusal([0xFF, 0xFE]) != nil) }

    @Test func tooLong() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(settings: String(repeating: "#", count: 65 << 10))
        #expect(try await registry.settledScan().tasks["t"]?.refusal?.code == "too-large")
    }

    @Test(arguments: [
        "task.yml", "Task.yaml", "tasks.yaml", "task.json", "task_settings.yaml", "task-config.yml", "task.yaml.txt",
        "TASK.YML", "task.toml",
    ]) func refusesSettingsUnderAnotherName(_ name: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        try registry.write("tasks/t/" + name, Array("weight: 2\n".utf8))
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.code == "task-settings" && refusal?.message.contains("task.yaml") == true)
    }

    @Test(arguments: [
        "valid.safetensors", "val.safetensors", "Validation.safetensors", "eval_.safetensors", "validation.safetensor",
        "validation.safetensors.safetensors", "dev-set.safetensors", "heldout.safetensors",
    ]) func refusesExamplesUnderAnotherName(_ name: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(validation: nil)
        try registry.write("tasks/t/" + name, TestTensor.file(TestRegistry.validation()))
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: false))
        #expect(snapshot.tasks["t"]?.refusal?.code == "missing-validation")
    }

    @Test(arguments: ["eval_results.json", "test_results.json", "tasks.md", "trainer_state.json", "task.log"])
    func takesWhatTrainersLeave(_ name: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        try registry.write("tasks/t/" + name, Array("{}".utf8))
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }
}
