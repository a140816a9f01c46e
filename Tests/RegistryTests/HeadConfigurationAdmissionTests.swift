import Foundation
import Registry
import Testing
import WorkerProtocol

/// The `config.json` of a task: among what goes in where a release will describe the task's head by it.
@Suite struct HeadConfigurationAdmissionTests {
    private func files(
        _ configuration: [UInt8], weights: [TestTensor] = TestRegistry.taskTensors(), settings: String? = nil,
        isStatic: Bool = false
    ) async throws -> [String]? {
        let registry = try TestRegistry()
        try registry.writeBase()
        if isStatic { try registry.remove("base/graph.pt2") }
        try registry.writeTask(
            weights: weights, validation: isStatic ? nil : TestRegistry.validation(), settings: settings)
        try registry.write("tasks/t/config.json", configuration)
        let scanner = registry.scanner(requiresValidation: !isStatic)
        return try await registry.settledScan(scanner).tasks["t"]?.content?.source.files.map(\.name)
    }

    @Test func itIsRecordedBesideAHead() async throws {
        let names = try await files(Array(#"{"num_labels": 2}"#.utf8))
        #expect(names == ["config.json", "model.safetensors", "validation.safetensors"])
    }

    @Test func refusesOnesThatAreNoJSON() async throws {
        #expect(try await files([0, 255, 123]) == nil)
    }

    @Test func oneThatIsTooLongIsNotRecorded() async throws {
        let names = try await files(Array("{}".utf8) + [UInt8](repeating: 32, count: HeadConfiguration.longest))
        #expect(names == ["model.safetensors", "validation.safetensors"])
    }

    /// No byte of a release follows from it.
    @Test func itIsLeftOutWhereThereIsNoHead() async throws {
        let content = Array(#"{"num_labels": 2}"#.utf8)
        let plain = try await files(content, weights: TestRegistry.trunkTensors(shift: 0.25), isStatic: true)
        #expect(plain == ["model.safetensors"])
        let named = try await files(
            content, weights: TestRegistry.trunkTensors(shift: 0.25), settings: "head: [trunk.bias]", isStatic: true)
        #expect(named == ["config.json", "model.safetensors", "task.yaml"])
    }

    @Test func anotherConfigurationIsAnotherVersionOfTheTask() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        var digests: Set<String> = []
        for count in 2...3 {
            try registry.write("tasks/t/config.json", Array(#"{"num_labels": \#(count)}"#.utf8))
            let task = try await registry.settledScan().tasks["t"]?.content
            digests.insert(try #require(task).source.digest)
        }
        #expect(digests.count == 2)
    }
}
