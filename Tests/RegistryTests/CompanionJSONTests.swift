import Foundation
import Testing

@testable import Tasks

/// The JSON beside a task's weights is read as Python's libraries read it, whichever file it is.
@Suite struct CompanionJSONTests {
    let registry: TestRegistry

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
    }

    private func code(_ name: String, base: String, task: String) async throws -> (code: String?, warnings: [String]) {
        try registry.write("base/" + name, Array(base.utf8))
        try registry.write("tasks/t/" + name, Array(task.utf8))
        let snapshot = try await registry.settledScan()
        #expect(snapshot.base.content != nil, "\(snapshot.base)")
        let task = snapshot.tasks["t"]
        return (task?.refusal?.code, task?.content?.source.warnings ?? [])
    }

    @Test(arguments: [
        ("config.json", #"{"model_type": "llama", "rms_norm_eps": 1e-06}"#, ", \"rms_norm_eps\": 0.1, "),
        ("tokenizer_config.json", #"{"do_lower_case": true}"#, ", \"do_lower_case\": false, "),
        ("1_Pooling/config.json", #"{"pooling_mode_cls_token": true}"#, ", \"pooling_mode_cls_token\": false, "),
    ]) func theLastOfARepeatedKeyCounts(_ name: String, _ text: String, _ other: String) async throws {
        let members = text.dropFirst().dropLast()
        #expect(try await code(name, base: text, task: "{\(other.dropFirst(2))\(members)}").code == nil)
        #expect(try await code(name, base: text, task: "{\(members)\(other.dropLast(2))}").code != nil)
    }

    @Test(arguments: [
        ("config.json", #"{"model_type": "mamba2", "time_step_limit": [0.0, Infinity], "x": NaN}"#),
        ("tokenizer_config.json", #"{"model_max_length": 1000000000000000019884624838656}"#),
        ("generation_config.json", #"{"eos_token_id": 2, "max_time": Infinity}"#),
        ("tokenizer.json", #"{"model": {"type": "Unigram", "vocab": [["a", -Infinity], ["b", 1e999]]}}"#),
    ]) func numbersAreThoseOfPython(_ name: String, _ text: String) async throws {
        #expect(try await code(name, base: text, task: text + "\n").code == nil)
    }

    @Test(arguments: [
        ("config.json", "malformed"), ("tokenizer_config.json", "not-what-it-claims"),
        ("generation_config.json", "malformed"), ("tokenizer.json", "not-what-it-claims"),
    ]) func whatPythonDoesNotReadIsNamed(_ name: String, _ code: String) async throws {
        let good = name == "tokenizer.json" ? #"{"model": {}}"# : "{}"
        for text in ["{\"a\": 1,}", "\u{FEFF}{}", "{'a': 1}", "[]", "{\"a\": 01}"] {
            #expect(try await self.code(name, base: good, task: text).code == code, "\(text)")
        }
    }
}
