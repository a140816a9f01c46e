import ExportedGraph
import Foundation
import Registry
import Tasks
import Testing

/// Labels of tokens and choices at the door: what is wrong is said with the file and the example.
@Suite struct ObjectiveAdmissionTests {
    /// Sentences of three tokens out of a vocabulary of eight; with `targets` a decoder that takes those of two.
    private static func signature(targets: Bool) -> GraphSignature {
        var signature = TestRegistry.signature
        signature.inputs = [.init(name: "input_ids", dtype: "int64", shape: [nil, nil], aliases: [])]
        if targets {
            signature.inputs.append(.init(name: "decoder_input_ids", dtype: "int64", shape: [nil, nil], aliases: []))
        }
        signature.output = [nil, nil, 8]
        return signature
    }

    private static let sentences = TestTensor("input_ids", [2, 3], integers: [1, 2, 3, 4, 5, 6])

    private func drop(
        _ settings: String, _ tensors: [TestTensor], targets: Bool = false, configuration: String = "{}"
    ) async throws -> Upload<AcceptedTask>? {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.write("base/config.json", Array(configuration.utf8))
        try registry.writeTask(validation: tensors, settings: settings)
        let scanner = registry.scanner(readGraph: { _ in Self.signature(targets: targets) })
        return try await registry.settledScan(scanner).tasks["t"]
    }

    private func labels(_ values: [Int32], _ shape: [Int] = [2, 3]) -> TestTensor {
        TestTensor("labels", shape, integers: values)
    }

    @Test func flagsOfEachClassAreMultiLabel() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        let input = TestRegistry.validation()[0]
        let flags = TestTensor("labels", [3, 2], integers: [0, 1, 1, 0, 1, 1])
        try registry.writeTask(validation: [input, flags], settings: "objective: multi-label\nmetric: f1-macro")
        let task = try #require(try await registry.settledScan().tasks["t"]?.content)
        #expect(task.isLabelled && task.examples == 3)
        for (labels, message) in [
            (TestTensor("labels", [3, 2], integers: [0, 2, 1, 0, 1, 1]), "other numbers than 0 and 1"),
            (TestTensor("labels", [3], integers: [0, 1, 1]), "a flag for each class"),
        ] {
            try registry.writeTask(validation: [input, labels], settings: "objective: multi-label")
            let refusal = try #require(try await registry.settledScan().tasks["t"]?.refusal)
            #expect(refusal.code == "wrong-labels" && refusal.message.contains(message), "\(refusal.message)")
        }
    }

    @Test func textsNeedATokenizer() async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask(settings: "metric: exact-match\nmax-new-tokens: 8")
        let wrong = try #require(try await registry.settledScan().tasks["t"]?.refusal)
        #expect(wrong.message.contains("says nothing about classification"), "\(wrong.message)")
        try registry.writeTask(settings: "objective: regression\nmax-new-tokens: 8")
        let useless = try #require(try await registry.settledScan().tasks["t"]?.refusal)
        #expect(useless.message.contains("`max-new-tokens` is for texts"), "\(useless.message)")
    }

    /// Fitted as numbers, logits of several classes would be drawn to 0 and 1.
    @Test(arguments: ["regression", "classification"]) func severalFlagsAnExample(objective: String) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        let input = TestRegistry.validation()[0]
        for labels in [
            TestTensor("labels", [3, 2], [0, 1, 1, 0, 1, 1]),
            TestTensor("labels", [3, 2], integers: [0, 1, 1, 0, 1, 1]),
        ] {
            try registry.writeTask(validation: [input, labels], settings: "objective: \(objective)")
            let refusal = try #require(try await registry.settledScan().tasks["t"]?.refusal)
            #expect(refusal.code == "wrong-labels" && refusal.message.contains("multi-label"), "\(refusal.message)")
            #expect(!refusal.message.contains("objective: regression"))
        }
    }

    @Test(arguments: [
        TestTensor("labels", [3, 2], [0, 1, 1, 0, 1, 0.5]), TestTensor("labels", [3, 1], [0, 1, 1]),
        TestTensor("labels", [3], [0, 1, 1]),
    ]) func numbersAreAccepted(labels: TestTensor) async throws {
        let registry = try TestRegistry()
        try registry.writeBase()
        let input = TestRegistry.validation()[0]
        try registry.writeTask(validation: [input, labels], settings: "objective: regression")
        #expect(try await registry.settledScan().tasks["t"]?.content?.examples == 3)
    }

    @Test func tokensWithMasksAreAccepted() async throws {
        let given = [Self.sentences, labels([-100, 7, -100, 0, -100, 1])]
        #expect(try await drop("objective: language-modeling", given)?.content?.examples == 2)
        #expect(
            try await drop("objective: token-classification", [Self.sentences, labels([-100, 1, -100, 0, -100, 1])])?
                .content?.examples == 2)
    }

    @Test(arguments: [
        (
            "language-modeling", [-100, 8, 1, 0, 1, 1],
            "example 0 (the first is 0) hold 8, but the vocabulary knows 0 to 7"
        ),
        ("language-modeling", [-100, 1, 1, 0, 1, -1], "example 1 (the first is 0) hold -1"),
        ("language-modeling", [0, 1, 1, 3, -100, -100], "example 1 (the first is 0) is -100"),
        ("token-classification", [0, 1, 2, 0, 0, 0], "example 0 (the first is 0) hold 2, but the head knows 0 to 1"),
        ("token-classification", [-100, -100, -100, 0, 0, 0], "example 0 (the first is 0) is -100"),
    ])
    func aBadLabelIsNamedByItsExample(objective: String, values: [Int32], message: String) async throws {
        let refusal = try #require(
            try await drop("objective: \(objective)", [Self.sentences, labels(values)])?.refusal)
        #expect(refusal.message.hasPrefix("validation.safetensors: "))
        #expect(refusal.message.contains(message) && !refusal.message.contains("\n"), "\(refusal.message)")
    }

    @Test func labelsAreAsManyAsTokens() async throws {
        for (tensor, word) in [
            (labels([0, 1], [2]), "[examples, tokens]"), (labels([0, 1, 0, 1], [2, 2]), "[2, 3]"),
        ] {
            let refusal = try await drop("objective: token-classification", [Self.sentences, tensor])?.refusal
            #expect(refusal?.code == "wrong-labels" && refusal?.message.contains(word) == true)
        }
    }

    @Test func aDecodersInputsAreMadeWhereTheBaseSaysHow() async throws {
        let given = [Self.sentences, labels([5, 6, 7, 2], [2, 2])]
        let settings = "objective: sequence-to-sequence\nmetric: perplexity"
        let start = #"{"decoder_start_token_id": 0}"#
        #expect(try await drop(settings, given, targets: true, configuration: start)?.content?.examples == 2)
        #expect(try await drop(settings, given, targets: true)?.refusal?.code == "missing-input")
        #expect(try await drop(settings, given, configuration: start)?.refusal?.code == "wrong-objective")
        let classes = try await drop("", [Self.sentences, labels([0, 1], [2])], targets: true, configuration: start)
        #expect(classes?.refusal?.code == "missing-input")
    }

    private func choices(_ values: [Int32], _ shape: [Int] = [2, 2, 3]) -> TestTensor {
        TestTensor("choices", shape, integers: values)
    }

    @Test func choicesAreAccepted() async throws {
        let right = choices([1, 2, -100, 3, -100, -100, -100, 4, 5, 6, 7, 1])
        let start = #"{"decoder_start_token_id": 0}"#
        let given = [Self.sentences, right, labels([1, 0], [2])]
        #expect(
            try await drop("objective: multiple-choice", given, targets: true, configuration: start)?.content != nil)
        let each = TestTensor("input_ids", [2, 2, 3], integers: Array(repeating: 1, count: 12))
        let causal = choices([-100, 2, -100, -100, -100, 3, -100, 4, 5, -100, 7, 1])
        let settings = "objective: multiple-choice\nlength-normalized: true"
        #expect(try await drop(settings, [each, causal, labels([1, 0], [2])])?.content != nil)
    }

    @Test func faultyChoices() async throws {
        let right = choices([1, 2, 3, -100, 4, 5, 6, 7, 1, 2, 3, 4])
        let cases: [([TestTensor], String)] = [
            ([labels([0, 1], [2])], "no tensor `choices`"),
            ([choices([1, 2, 3, 4, 5, 6], [2, 1, 3]), labels([0, 0], [2])], "two choices or more"),
            ([right, labels([0, 2], [2])], "example 1 (the first is 0) is 2, but there are 2 choices"),
            (
                [choices([1, 2, 3, 4, 4, 5, 6, 9, 1, 2, 3, 4]), labels([0, 1], [2])],
                "example 1 (the first is 0) hold 9"
            ),
            (
                [choices([1, 2, 3, 4, 4, 5, 6, 1, 1, 2, -100, -100]), labels([0, 1], [2])],
                "of example 1 (the first is 0) the right choice, 1, has not a token"
            ),
            ([right, labels([0, 1, 0, 1], [2, 2])], "one label an example"),
        ]
        for (tensors, message) in cases {
            let refusal = try await drop("objective: multiple-choice", [Self.sentences] + tensors)?.refusal
            #expect(refusal?.message.contains(message) == true, "\(refusal?.message ?? "accepted"), not \(message)")
        }
    }

    @Test(arguments: [
        ("metric: guess", "`metric` must be one of accuracy"),
        ("metric: perplexity", "says nothing about classification"),
        ("length-normalized: true", "multiple-choice alone"), ("length-normalized: 3", "true or false"),
    ])
    func settingsThatMeanNothing(settings: String, message: String) async throws {
        let refusal = try await drop(settings, [Self.sentences, labels([0, 1], [2])])?.refusal
        #expect(refusal?.code == "task-settings" && refusal?.message.contains(message) == true)
    }
}
