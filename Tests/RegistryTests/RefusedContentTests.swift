import Files
import Registry
import Testing

/// What is known of a folder that is refused: whether it is still what was accepted.
struct RefusedContentTests {
    @Test func aTaskThatIsRefusedAsItIsHasTheDigestThatItHad() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(settings: "weight: 2\n")
        try registry.write("tasks/t/README.md", Array("not read".utf8))
        let accepted = try await registry.settledScan().tasks["t"]?.content
        let digest = try #require(accepted).source.digest

        // Another daemon over the same registry and cache, as after an upgrade.
        let refusal = try await registry.settledScan(registry.scanner(needsAdapters: true)).tasks["t"]?.refusal
        #expect(refusal?.code == "no-adapter" && refusal?.digest == digest)
    }

    @Test(arguments: ["model.safetensors", "validation.safetensors", "task.yaml"])
    func aTaskThatChangedHasAnother(file: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(settings: "weight: 2\n")
        let accepted = try await registry.settledScan().tasks["t"]?.content
        let digest = try #require(accepted).source.digest
        switch file {
        case "model.safetensors": try registry.writeTask(weights: TestRegistry.taskTensors(shift: 0.5))
        case "validation.safetensors": try registry.writeTask(validation: TestRegistry.validation(labels: [1, 0]))
        default: try registry.writeTask(settings: "weight: 3\n")
        }
        let refusal = try await registry.settledScan(registry.scanner(needsAdapters: true)).tasks["t"]?.refusal
        #expect(refusal?.code == "no-adapter" && refusal?.digest != digest)
    }

    @Test func whatWasNeverReadHasNone() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.write("tasks/t/pytorch_model.bin", [1, 2, 3])
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal != nil && refusal?.digest == nil)
    }
}
