import Foundation
import Testing
import WorkerProtocol

/// What another version of the program wrote.
@Suite struct CompatibilityTests {
    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSON.decode(type, from: Data(text.utf8))
    }

    /// The JSON of a value without one of its keys.
    private func without(_ key: String, _ value: some Encodable) throws -> Data {
        let object = try JSONSerialization.jsonObject(with: JSON.encode(value))
        var members = try #require(object as? [String: Any])
        #expect(members.removeValue(forKey: key) != nil)
        return try JSONSerialization.data(withJSONObject: members)
    }

    @Test func settingsThatLackAKeyHaveItsFirstDefault() throws {
        #expect(try decode(MergeSettings.self, "{}") == .defaults(ofVersion: 1))
        var settings = MergeSettings.defaults(ofVersion: 1)
        settings.steps = 7
        let members = try #require(JSONSerialization.jsonObject(with: JSON.encode(settings)) as? [String: Any])
        for key in members.keys where key != "steps" {
            #expect(try JSON.decode(MergeSettings.self, from: without(key, settings)) == settings, "\(key)")
        }
    }

    @Test func settingsOfALaterVersionAreRead() throws {
        #expect(try decode(MergeSettings.self, #"{"steps": 7, "colour": "red"}"#).steps == 7)
    }

    @Test func resultsThatLackAKeyHaveItsDefault() throws {
        var result = MergeResult(tasks: [TaskResult(task: "a", fitted: 3)])
        result.steps = 9
        let members = try #require(JSONSerialization.jsonObject(with: JSON.encode(result)) as? [String: Any])
        for key in members.keys where key != "tasks" && key != "steps" {
            #expect(try JSON.decode(MergeResult.self, from: without(key, result)) == result, "\(key)")
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var settings = MergeSettings()
        settings.method = .taskArithmetic
        settings.learningRate = 0.125
        settings.seed = .max
        #expect(try JSON.decode(MergeSettings.self, from: JSON.encode(settings)) == settings)
        var result = MergeResult(tasks: [TaskResult(task: "a", fitted: 3)])
        result.coefficients = ["layer": [0.5, -0.25]]
        result.curve = [FitPoint(step: 1, loss: .nan, heldOut: 0.5)]
        result.outputs = [SourceFile(name: "model.safetensors", bytes: 3, sha256: "x")]
        let read = try JSON.decode(MergeResult.self, from: JSON.encode(result))
        #expect(read.coefficients == result.coefficients && read.outputs == result.outputs)
        #expect(read.curve[0].loss.isNaN && read.curve[0].heldOut == 0.5)
    }

    @Test func aWrongTypeIsStillAnError() {
        #expect(throws: DecodingError.self) { try decode(MergeSettings.self, #"{"steps": "many"}"#) }
        #expect(throws: DecodingError.self) { try decode(MergeResult.self, #"{}"#) }
    }
}
