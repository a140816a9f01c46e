import ExportedGraph
import Files
import Foundation
import Registry
import Reliability
import Tasks
import Testing

@Suite struct AdmissionAttackTests {
    let registry: TestRegistry
    private static let tally = OutcomeCounter(
        attacks: "attack-drops", "a drop with a hostile, broken or unfit file in it")

    init() throws {
        registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask("good")
    }

    /// The code by which task `t` is refused; the good one beside it must stay accepted.
    private func code(requiresValidation: Bool = true) async throws -> String? {
        let snapshot = try await registry.settledScan(registry.scanner(requiresValidation: requiresValidation))
        #expect(snapshot.tasks["good"]?.content != nil)
        let refusal = snapshot.tasks["t"]?.refusal
        if let refusal {
            #expect(!refusal.message.contains("\n"))
            #expect(refusal.fingerprint.count == 64)
        }
        return refusal?.code
    }

    @Test(arguments: [
        ("training_args.bin", "pickle"), ("optimizer.pt", "pickle"), ("model.PTH", "pickle"), ("x.pkl", "pickle"),
        ("x\u{601}.pkl", "pickle"),
        ("last.ckpt", "pickle"), ("all.zip", "archive"), ("all.tar.gz", "archive"), ("graph.pt2", "archive"),
        ("modeling.py", "code"), ("adapter_model.safetensors", "malformed"), ("adapter_config.json", "malformed"),
        ("adapter_model.json", "adapter-unsupported"),
    ]) func forbiddenFile(name: String, expected: String) async throws {
        try registry.writeTask()
        try registry.write("tasks/t/\(name)", [1])
        try await Self.tally.expect(code(), is: expected)
    }

    @Test(arguments: [
        ("training_args.bin", "the Trainer's own"), ("optimizer.pt", "the Trainer's own"),
        ("rng_state_3.pth", "the Trainer's own"), ("pytorch_model.bin", "save as safetensors"),
    ]) func adviceOnAPickle(name: String, advice: String) async throws {
        try registry.writeTask()
        try registry.write("tasks/t/\(name)", [1])
        let message = try await registry.settledScan().tasks["t"]?.refusal?.message
        #expect(message?.contains(advice) == true && message?.contains("remove it") == true, "\(message ?? "")")
    }

    @Test(arguments: [".SCB", ".absmax", ".qweight"]) func quantisedWeights(ending: String) async throws {
        try registry.writeTask(
            weights: TestRegistry.taskTensors() + [TestTensor("trunk.weight" + ending, [1], [1])])
        let refusal = try #require(try await registry.settledScan().tasks["t"]?.refusal)
        #expect(refusal.code == "wrong-dtype" && refusal.message.contains("quantised"), "\(refusal.message)")
        try registry.write(
            "base/model.safetensors",
            TestTensor.file(TestRegistry.trunkTensors() + [TestTensor("trunk.weight" + ending, [1], [1])]))
        #expect(try await registry.settledScan().base.refusal?.message.contains("quantised") == true)
    }

    @Test func floatsOfEightBits() async throws {
        var tensors = TestRegistry.taskTensors()
        tensors[0] = TestTensor("trunk.weight", "F8_E4M3", [4, 3], bytes: [UInt8](repeating: 0x38, count: 12))
        try registry.writeTask(weights: tensors)
        let message = try await registry.settledScan().tasks["t"]?.refusal?.message
        #expect(message?.contains("cast to bf16") == true, "\(message ?? "")")
    }

    @Test func fifoInsteadOfAFile() async throws {
        try registry.writeTask()
        mkfifo(registry.root + "/tasks/t/notes", 0o600)
        try await Self.tally.expect(code(), is: "not-regular")
    }

    @Test(arguments: ["/etc/passwd", "../../../outside", "model.safetensors.missing", "../good"]) func linkAstray(
        target: String
    ) async throws {
        try registry.writeTask()
        try Data([1]).write(to: URL(filePath: registry.path + "/outside"))
        symlink(target, registry.root + "/tasks/t/config.json")
        let expected = ["model.safetensors.missing": "dangling-link", "../good": "not-regular"]
        try await Self.tally.expect(code(), is: expected[target] ?? "link-leaves-registry")
    }

    @Test func linkInsideTheRegistryIsFollowed() async throws {
        try registry.writeTask()
        try registry.write("pool/weights", TestTensor.file(TestRegistry.taskTensors()))
        try registry.remove("tasks/t/model.safetensors")
        symlink("../../pool/weights", registry.root + "/tasks/t/model.safetensors")
        try await Self.tally.expect(code(), is: nil)
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
    }

    @Test func taskFolderBehindALinkThatLeaves() async throws {
        try registry.writeTask("x")
        try FileManager.default.moveItem(atPath: registry.root + "/tasks/x", toPath: registry.path + "/x")
        symlink("../../x", registry.root + "/tasks/t")
        let refusal = try await registry.settledScan().tasks["t"]?.refusal
        #expect(refusal?.code == "link-leaves-registry")
    }

    @Test func straysAndTemporaries() async throws {
        try registry.write("tasks/loose.safetensors", [1])
        try registry.writeTask("bad name")
        try registry.writeTask("-flag")
        try registry.writeTask(String(repeating: "a", count: 129))
        for name in [".hidden", "t.tmp", "t.part", "t.incomplete"] { try registry.writeTask(name) }
        let snapshot = try await registry.settledScan()
        #expect(snapshot.tasks.keys.sorted() == ["good"])
        #expect(
            Set(snapshot.strays.keys) == ["loose.safetensors", "bad name", "-flag", String(repeating: "a", count: 129)])
    }

    @Test func temporariesInATaskDoNotCount() async throws {
        try registry.writeTask()
        let scanner = registry.scanner()
        let before = try await registry.settledScan(scanner)
        try registry.write("tasks/t/.model.safetensors.Xy12", [1])
        try registry.write("tasks/t/weights.bin.part", [1])
        #expect(try await scanner.scan().snapshot == before)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], [0, 11]) func notFinite(value: Float, place: Int) async throws
    {
        var trunk = TestRegistry.trunk
        trunk[place] = value
        try registry.writeTask(
            weights: [TestTensor("trunk.weight", [4, 3], trunk)] + TestRegistry.taskTensors()[1...])
        try await Self.tally.expect(code(), is: "not-finite")
    }

    @Test(arguments: [("F16", [0x00, 0x7C]), ("BF16", [0x80, 0x7F]), ("BF16", [0xC0, 0xFF]), ("F16", [0x01, 0xFE])])
    func notFiniteInHalfPrecision(dtype: String, bits: [UInt8]) async throws {
        let bytes = [UInt8](repeating: 0x3C, count: 14) + bits
        try registry.writeTask(
            weights: TestRegistry.trunkTensors() + [
                TestTensor("head.weight", dtype, [2, 4], bytes: bytes), TestTensor("head.bias", [2], [0, 0]),
            ])
        try await Self.tally.expect(code(), is: "not-finite")
    }

    @Test func notFiniteInAnElementThatAChunkCuts() async throws {
        let count = (2 << 20) / 4
        for padding in 1...3 {
            var values = [Float](repeating: 1, count: count)
            let registry = try TestRegistry()
            try registry.write(
                "base/model.safetensors", TestTensor.file([TestTensor("trunk.weight", [count, 1], values)], padding: 3))
            try registry.write("base/graph.pt2", [1])
            let header =
                TestTensor.file([TestTensor("trunk.weight", [count, 1], values)], padding: padding).count - count * 4
            values[((1 << 20) - header) / 4] = .nan
            try registry.write(
                "tasks/t/model.safetensors",
                TestTensor.file([TestTensor("trunk.weight", [count, 1], values)], padding: padding))
            let scanner = registry.scanner(
                requiresValidation: false,
                readGraph: { _ in
                    var signature = TestRegistry.signature
                    signature.parameters = []
                    return signature
                })
            try await Self.tally.expect(registry.settledScan(scanner).tasks["t"]?.refusal?.code, is: "not-finite")
        }
    }

    @Test func missingParameter() async throws {
        try registry.writeTask(weights: Array(TestRegistry.taskTensors()[1...]))
        try await Self.tally.expect(code(), is: "missing-parameter")
    }

    /// As the worker has it: a tied tensor may be saved under any of its names, and named as head by any.
    @Test func parameterThatOnlyItsTwinStandsFor() async throws {
        let twin = TestTensor("trunk.twin", [4, 3], TestRegistry.trunk)
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + [twin]))
        try registry.writeTask()
        try registry.writeTask("owner", settings: "head: [head., trunk.twin]")
        let scanner = registry.scanner(readGraph: { _ in
            var signature = TestRegistry.signature
            signature.parameters[0].aliases = ["trunk.twin"]
            return signature
        })
        let snapshot = try await registry.settledScan(scanner)
        #expect(snapshot.tasks["t"]?.content != nil)
        #expect(snapshot.tasks["owner"]?.content != nil)
    }

    private static let twinned: @Sendable (ReadableFile) throws -> GraphSignature = { _ in
        var signature = TestRegistry.signature
        signature.parameters[0].aliases = ["trunk.twin"]
        return signature
    }

    /// Only one of the two would be merged.
    @Test func twinsThatDiffer() async throws {
        let twin = TestTensor("trunk.twin", [4, 3], TestRegistry.trunk.map { $0 + 0.25 })
        let other = TestTensor("trunk.twin", [4, 3], TestRegistry.trunk)
        try registry.writeTask("same", weights: TestRegistry.taskTensors() + [twin])
        try registry.writeTask(weights: TestRegistry.taskTensors() + [other])
        let snapshot = try await registry.settledScan(registry.scanner(readGraph: Self.twinned))
        #expect(snapshot.tasks["same"]?.content != nil)
        let refusal = try #require(snapshot.tasks["t"]?.refusal)
        #expect(refusal.code == "untied")
        for name in ["`trunk.weight`", "`trunk.twin`"] { #expect(refusal.message.contains(name)) }
        let again = try await registry.settledScan(registry.scanner(readGraph: Self.twinned))
        #expect(again.tasks["t"]?.refusal?.code == "untied")
        let untied = try await registry.settledScan().tasks
        #expect(untied["same"]?.refusal?.code == "extra-parameter")
    }

    @Test func twinsOfTheBaseThatDiffer() async throws {
        let twin = TestTensor("trunk.twin", [4, 3], TestRegistry.trunk.map { -$0 })
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + [twin]))
        let refusal = try await registry.settledScan(registry.scanner(readGraph: Self.twinned)).base.refusal
        #expect(refusal?.code == "untied" && refusal?.message.contains("trunk.twin") == true)
    }

    @Test func integersOfTheBaseThatATaskDidNotSave() async throws {
        let positions = TestTensor("trunk.position_ids", [3], integers: [0, 1, 2])
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + [positions]))
        try registry.writeTask()
        try await Self.tally.expect(code(), is: nil)
    }

    @Test func missingHead() async throws {
        try registry.writeTask(weights: TestRegistry.trunkTensors())
        try await Self.tally.expect(code(), is: "missing-parameter")
    }

    @Test func extraParameter() async throws {
        try registry.writeTask(weights: TestRegistry.taskTensors() + [TestTensor("extra", [1], [1])])
        try await Self.tally.expect(code(), is: "extra-parameter")
    }

    @Test func extraParameterOfANamedHead() async throws {
        try registry.writeTask(
            weights: TestRegistry.taskTensors() + [TestTensor("extra", [1], [1])], settings: "head: [head., extra]")
        try await Self.tally.expect(code(), is: nil)
    }

    @Test func transposedParameter() async throws {
        var tensors = TestRegistry.taskTensors()
        tensors[0].shape = [3, 4]
        try registry.writeTask(weights: tensors)
        try await Self.tally.expect(code(), is: "wrong-shape")
    }

    @Test func integerWeights() async throws {
        var tensors = TestRegistry.taskTensors()
        tensors[0].dtype = "I32"
        try registry.writeTask(weights: tensors)
        try await Self.tally.expect(code(), is: "wrong-dtype")
    }

    @Test func anotherBase() async throws {
        let stranger = TestRegistry.trunk.enumerated().map { $0.offset % 2 == 0 ? $0.element : -$0.element }
        try registry.writeTask(
            weights: [TestTensor("trunk.weight", [4, 3], stranger)] + TestRegistry.taskTensors()[1...])
        try await Self.tally.expect(code(), is: "another-base")
    }

    /// What `head` names is left out, also where the same file was read before with another `task.yaml`.
    @Test func headFarFromTheBases() async throws {
        let far = TestTensor("head.weight", [2, 4], (0..<8).map { -100 - Float($0) })
        let own = TestTensor("head.weight", [2, 4], (0..<8).map { 100 + Float($0) })
        try registry.write("base/model.safetensors", TestTensor.file(TestRegistry.trunkTensors() + [far]))
        try registry.writeTask(
            weights: TestRegistry.trunkTensors(shift: 0.25) + [own, TestTensor("head.bias", [2], [0, 0])])
        try await Self.tally.expect(registry.settledScan().tasks["t"]?.refusal?.code, is: "another-base")
        try registry.write("tasks/t/task.yaml", Array("head: [head.]".utf8))
        #expect(try await registry.settledScan().tasks["t"]?.content != nil)
        try registry.remove("tasks/t/task.yaml")
        try await Self.tally.expect(registry.settledScan().tasks["t"]?.refusal?.code, is: "another-base")
    }

    @Test func halfPrecisionFineTuneOfASinglePrecisionBase() async throws {
        var tensors = TestRegistry.taskTensors()
        let bits = TestRegistry.trunk.map { UInt16(($0 + 0.25).bitPattern >> 16) }
        tensors[0] = TestTensor(
            "trunk.weight", "BF16", [4, 3], bytes: bits.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
        try registry.writeTask(weights: tensors)
        try await Self.tally.expect(code(), is: nil)
    }

    @Test func missingValidation() async throws {
        try registry.writeTask(validation: nil)
        try await Self.tally.expect(code(), is: "missing-validation")
        try await Self.tally.expect(code(requiresValidation: false), is: nil)
    }

    @Test(arguments: [[0, 2, 1], [0, -1, 1], [Int32.max, 0, 0]]) func labelsOutsideTheHead(labels: [Int32]) async throws
    {
        try registry.writeTask(validation: TestRegistry.validation(labels: labels))
        try await Self.tally.expect(code(), is: "labels-outside-head")
    }

    @Test func faultyValidationSets() async throws {
        let (x, labels) = (TestRegistry.validation()[0], TestRegistry.validation()[1])
        let cases: [(String, [TestTensor])] = [
            ("missing-labels", [x]),
            ("missing-input", [labels]),
            ("unknown-input", [x, labels, TestTensor("y", [3], [1, 2, 3])]),
            ("example-count", [TestTensor("x", [2, 3], [1, 2, 3, 4, 5, 6]), labels]),
            ("example-count", TestRegistry.validation(labels: [1])),
            ("wrong-shape", [TestTensor("x", [3, 2], [1, 2, 3, 4, 5, 6]), labels]),
            ("wrong-dtype", [TestTensor("x", [3, 3], integers: Array(0..<9)), labels]),
            ("wrong-labels", [x, TestTensor("labels", [3], [0, 1, 0])]),
            ("wrong-labels", [x, TestTensor("labels", [3, 1], integers: [0, 1, 0])]),
            ("not-finite", [TestTensor("x", [3, 3], [.nan, 1, 1, 1, 1, 1, 1, 1, 1]), labels]),
        ]
        for (expected, validation) in cases {
            try registry.writeTask(validation: validation)
            try await Self.tally.expect(code(), is: expected)
        }
        try registry.write("tasks/t/validation.safetensors", Array(TestTensor.file([x, labels]).dropLast(2)))
        try await Self.tally.expect(code(), is: "truncated")
    }

    /// transformers writes infinities for some families, and Python's json reads a key that comes twice.
    @Test func aConfigurationThatPythonReadsIsAdmitted() async throws {
        try registry.writeBase()
        try registry.write("base/config.json", Array(#"{"time_step_limit": [0.0, Infinity], "a": 1, "a": 2}"#.utf8))
        let base = try await registry.settledScan().base
        #expect(base.content != nil, "\(String(describing: base.refusal))")
    }

    @Test func basesThatAreNone() async throws {
        let cases: [(String, String, [UInt8])] = [
            ("code", "base/config.json", Array(#"{"auto_map": {"AutoModel": "m.Model"}}"#.utf8)),
            ("code", "base/config.json", Array(#"{"vision": [{"auto_map": {"AutoModel": "m.Model"}}]}"#.utf8)),
            ("code", "base/config.json", Array(#"{"custom_pipelines": {}}"#.utf8)),
            ("code", "base/tokenizer_config.json", Array(#"{"auto_map": {"AutoTokenizer": ["m.T", null]}}"#.utf8)),
            ("malformed", "base/tokenizer_config.json", Array("{".utf8)),
            ("malformed", "base/config.json", Array("{".utf8)),
            ("code", "base/modeling.py", [1]),
            ("pickle", "base/pytorch_model.bin", [1]),
            ("truncated", "base/model.safetensors", [1, 2, 3]),
        ]
        for (expected, name, bytes) in cases {
            let registry = try TestRegistry()
            try registry.writeBase()
            try registry.write(name, bytes)
            try await Self.tally.expect(registry.settledScan().base.refusal?.code, is: expected)
        }
        struct Unreadable: Error {}
        let scanner = registry.scanner(readGraph: { _ in throw Unreadable() })
        try await Self.tally.expect(registry.settledScan(scanner).base.refusal?.code, is: "unsupported-graph")
        try registry.remove("base/graph.pt2")
        let refusal = try #require(try await registry.settledScan().base.refusal)
        #expect(refusal.code == "missing-graph")
        for word in ["config.json", "`model_type`", "Tools/export_model.py"] { #expect(refusal.message.contains(word)) }
        try registry.remove("base/config.json")
        try await Self.tally.expect(registry.settledScan().base.refusal?.code, is: "missing-graph")
        let base = try await registry.settledScan(registry.scanner(requiresValidation: false)).base.content
        #expect(base?.hasGraph == false)
    }
}
