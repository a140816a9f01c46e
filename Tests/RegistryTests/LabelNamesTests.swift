import ExportedGraph
import Foundation
import Registry
import Tasks
import Testing

/// Heads that are merged must tell the same classes apart.
@Suite struct LabelNamesTests {
    let registry: TestRegistry
    /// A graph whose head the base has, too.
    private static let signature = GraphSignature(
        parameters: TestRegistry.signature.parameters, buffers: [], inputs: TestRegistry.signature.inputs)

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.taskTensors(shift: 0)))
    }

    private func write(_ names: [String]?, to folder: String) throws {
        let labels = (names ?? []).enumerated().map { "\"\($0.offset)\": \"\($0.element)\"" }
        let text = names == nil ? "{}" : "{\"id2label\": {\(labels.joined(separator: ", "))}}"
        try registry.write("\(folder)/config.json", Array(text.utf8))
    }

    private func code(
        base: [String]?, _ task: [String]?, settings: String? = nil
    ) async throws -> (code: String?, message: String?) {
        try write(base, to: "base")
        try registry.writeTask(settings: settings)
        try write(task, to: "tasks/t")
        let snapshot = try await registry.settledScan(registry.scanner(readGraph: { _ in Self.signature }))
        #expect(snapshot.base.content != nil)
        return (snapshot.tasks["t"]?.refusal?.code, snapshot.tasks["t"]?.refusal?.message)
    }

    @Test func refusesOtherClasses() async throws {
        let (code, message) = try await code(base: ["no", "yes"], ["negative", "positive"])
        #expect(code == "labels-differ")
        #expect(message?.contains("class 0 is \"negative\"") == true && message?.contains("head:") == true)
    }

    @Test func refusesClassesInAnotherOrder() async throws {
        #expect(try await code(base: ["no", "yes"], ["yes", "no"]).code == "labels-differ")
    }

    @Test(arguments: [["No", "YES"], ["LABEL_0", "LABEL_1"], nil] as [[String]?])
    func acceptsTheSameClassesAndNamelessOnes(_ task: [String]?) async throws {
        #expect(try await code(base: ["no", "yes"], task).code == nil)
    }

    @Test func acceptsAHeadOfItsOwn() async throws {
        let (code, message) = try await code(base: ["no", "yes"], ["a", "b"], settings: "head: [head.]\n")
        #expect(code == nil, "\(message ?? "")")
    }

    @Test func refusesANewcomerWithOtherClassesThanTheDeployedTask() async throws {
        try write(nil, to: "base")
        try registry.writeTask("first", weights: TestRegistry.taskTensors(shift: 0.5))
        try write(["no", "yes"], to: "tasks/first")
        try registry.writeTask("a-newcomer")
        try write(["a", "b"], to: "tasks/a-newcomer")
        let scanner = registry.scanner(readGraph: { _ in Self.signature })
        _ = try await scanner.scan(expecting: ["first"])
        registry.advance(.seconds(5))
        let snapshot = try await scanner.scan(expecting: ["first"]).snapshot
        #expect(snapshot.tasks["first"]?.content != nil)
        #expect(snapshot.tasks["a-newcomer"]?.refusal?.code == "labels-differ")
        #expect(snapshot.tasks["a-newcomer"]?.refusal?.message.contains("task first's") == true)
    }
}
