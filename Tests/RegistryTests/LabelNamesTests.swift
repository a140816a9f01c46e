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

    /// Forms in which people and tools write the classes, against no and yes.
    @Test(
        arguments: [
            (#"{"id2label": ["no", "yes"]}"#, nil), (#"{"id2label": ["yes", "no"]}"#, "labels-differ"),
            (#"{"id2label": {"1": "yes", "0": "no"}}"#, nil), (#"{"id2label": {"0": 0, "1": 1}}"#, "labels-differ"),
            (#"{"id2label": {"00": "no", " 1": "yes"}}"#, nil), (#"{"label2id": {"yes": 1, "no": 0}}"#, nil),
            (#"{"label2id": {"yes": 0, "no": 1}}"#, "labels-differ"),
            (#"{"label2id": {"yes": "0", "no": "1"}}"#, "labels-differ"),
            (#"{"id2label": {"0": true, "1": false}}"#, "labels-differ"),
            (#"{"id2label": {"0": "yes", "1": "no"}, "id2label": {"0": "no", "1": "yes"}}"#, nil),
            (#"{"id2label": {"0": "no", "1": "yes", "2": "maybe"}}"#, "labels-differ"),
        ] as [(String, String?)]) func readsClassesInEveryForm(_ text: String, _ expected: String?) async throws
    {
        try write(["no", "yes"], to: "base")
        try registry.writeTask()
        try registry.write("tasks/t/config.json", Array(text.utf8))
        let snapshot = try await registry.settledScan(registry.scanner(readGraph: { _ in Self.signature }))
        #expect(snapshot.tasks["t"]?.refusal?.code == expected, "\(text)")
    }

    @Test(
        arguments: [(#"{"0": 0, "1": 1}"#, nil), (#"{"0": 1, "1": 0}"#, "labels-differ"), (#"["0", "1"]"#, nil)]
            as [(String, String?)])
    func comparesNamesThatAreNumbers(_ labels: String, _ expected: String?) async throws {
        try registry.write("base/config.json", Array(#"{"id2label": {"0": 0, "1": 1}}"#.utf8))
        try registry.writeTask()
        try registry.write("tasks/t/config.json", Array("{\"id2label\": \(labels)}".utf8))
        let snapshot = try await registry.settledScan(registry.scanner(readGraph: { _ in Self.signature }))
        #expect(snapshot.tasks["t"]?.refusal?.code == expected)
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
