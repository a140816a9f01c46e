import ExportedGraph
import Files
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// What comes behind the last token of every example of a batch is left out where that changes nothing.
@Suite(.serialized) struct PaddingTests {
    private static let width = 24

    private func signature(tokens: Int? = nil) -> GraphSignature {
        let names = ["input_ids", "attention_mask", ValidationSet.decoderInputs]
        return GraphSignature(
            parameters: [], buffers: [],
            inputs: names.map { .init(name: $0, dtype: "int64", shape: [nil, tokens], aliases: []) })
    }

    /// Examples of these many tokens, each its own number, and padding that is 9.
    private func withSet(_ lengths: [Int], _ body: (ValidationSet) throws -> Void) throws {
        try Fixture.temporarily { directory in
            let folder = ModelFolder(at: directory)
            let places = lengths.flatMap { length in (0..<Self.width).map { ($0, length) } }
            let shape = [lengths.count, Self.width]
            let tokens = places.map { $0 < $1 ? Int64($1) : 9 }
            try folder.write(
                [
                    "input_ids": .init(tokens, .i64, shape: shape),
                    "attention_mask": .init(places.map { $0 < $1 ? 1 as Int64 : 0 }, .i64, shape: shape),
                    ValidationSet.decoderInputs: .init(tokens, .i64, shape: shape),
                    "labels": .init([Int64](repeating: 0, count: lengths.count), .i64, shape: [lengths.count]),
                ], to: "validation.safetensors")
            let file = try SafetensorsFile(file: ReadableFile(path: directory + "/validation.safetensors"))
            try body(
                ValidationSet(
                    file, task: "t", inputNames: signature().inputs.map(\.name), holdout: 0, seed: 0))
        }
    }

    /// Sums over the tokens that the mask shows, as a model gives them out that looks at nothing else.
    private func shown(_ inputs: [String: Tensor]) throws -> Tensor {
        try inputs["input_ids"]!.multiplied(by: inputs["attention_mask"]!).to(.float32).sum(over: [1])
    }

    @Test func aBatchIsAsLongAsItsLongestExample() throws {
        try withSet([3, 8, 9, 1, 24]) { set in
            try set.leaveOutPadding(signature(), shown)
            for (examples, length) in [([0], 8), ([0, 1, 3], 8), ([2, 0], 16), ([3, 4], 24)] {
                let inputs = try set.batch(examples).inputs
                #expect(inputs["input_ids"]?.shape == [examples.count, length])
                #expect(inputs["attention_mask"]?.shape == [examples.count, length])
                #expect(inputs[ValidationSet.decoderInputs]?.shape == [examples.count, Self.width])
                #expect(try shown(inputs).floats() == examples.map { Float([9, 64, 81, 1, 576][$0]) })
            }
        }
    }

    @Test func aModelThatLooksAtPaddingGetsIt() throws {
        try withSet([3, 8, 9, 1]) { set in
            try set.leaveOutPadding(signature()) { try $0["input_ids"]!.to(.float32).sum(over: [1]) }
            #expect(set.padding == nil)
            #expect(try set.batch([3]).inputs["input_ids"]?.shape == [1, Self.width])
        }
    }

    @Test func aModelThatSaysSomethingOfEveryTokenGetsIt() throws {
        try withSet([3, 8]) { set in
            try set.leaveOutPadding(signature()) { try $0["attention_mask"]!.to(.float32) }
            #expect(set.padding == nil)
        }
    }

    @Test func aModelThatCantRunFewerTokensGetsThemAll() throws {
        try withSet([3, 8]) { set in
            try set.leaveOutPadding(signature()) { inputs in
                guard inputs["input_ids"]?.shape[1] == Self.width else { throw TorchError("not these") }
                return try shown(inputs)
            }
            #expect(set.padding == nil)
        }
    }

    @Test func nothingIsTriedWhereNothingCanBeLeftOut() throws {
        func never(_ inputs: [String: Tensor]) throws -> Tensor { throw TorchError("was run") }
        try withSet([3, 8]) { try $0.leaveOutPadding(signature(tokens: Self.width), never) }
        try withSet([24, 17, 20]) { try $0.leaveOutPadding(signature(), never) }
    }

    @Test func whatTheDecoderSeesIsLeftWhole() throws {
        let names = ["decoder_attention_mask", "attention_mask"]
        let masked = GraphSignature(
            parameters: [], buffers: [],
            inputs: names.map { .init(name: $0, dtype: "int64", shape: [nil, nil], aliases: []) })
        try withSet([3, 8]) { set in
            let columns = set.inputs.merging(["decoder_attention_mask": set.inputs["attention_mask"]!]) { $1 }
            let padding = try Padding(masked, columns)
            #expect(padding?.inputs == ["attention_mask"])
        }
    }

    @Test func smallDifferencesOfLargeNumbersAreSeen() throws {
        try withSet([3, 8]) { set in
            try set.leaveOutPadding(signature()) { inputs in
                try inputs["input_ids"]!.to(.float32).sum(over: [1]).multiplied(by: 1e-3).adding(
                    Tensor([1e4 as Float], shape: [1]))
            }
            #expect(set.padding == nil)
        }
    }

    @Test func twoLengthsAreTried() throws {
        try withSet([3, 8]) { set in
            try set.leaveOutPadding(signature()) { inputs in
                guard inputs["input_ids"]!.shape[1] != 16 else { throw TorchError("not these") }
                return try shown(inputs)
            }
            #expect(set.padding == nil)
        }
    }

    /// The tiny BERT of the neighbouring tests, with examples of 3 to 12 tokens.
    private func withBERT(width: Int, _ body: (ArchitectureFixture) throws -> Void) throws {
        try Fixture.temporarily { directory in
            let fixture = try ArchitectureFixture("bert", in: directory)
            for task in ArchitectureFixture.tasks {
                var random = SeededRandom(state: 3)
                let lengths = (0..<12).map { _ in Int.random(in: 3...12, using: &random) }
                let tokens = lengths.map { length in (0..<length).map { _ in Int64.random(in: 1..<48, using: &random) }
                }
                func padded(_ rows: [[Int64]]) -> ModelFolder.Content {
                    let all = rows.flatMap { $0 + [Int64](repeating: 0, count: width - $0.count) }
                    return .init(all, .i64, shape: [rows.count, width])
                }
                try ModelFolder(at: "\(directory)/\(task)").write(
                    [
                        "input_ids": padded(tokens), "attention_mask": padded(tokens.map { $0.map { _ in 1 } }),
                        "labels": .init(lengths.map { Int64($0 % 3) }, .i64, shape: [12]),
                    ], to: "validation.safetensors")
            }
            try body(fixture)
        }
    }

    @Test func aFitIsTheSameWithAndWithoutPadding() throws {
        var runs: [[Double]] = []
        for width in [12, 16] {
            try withBERT(width: width) { fixture in
                let result = try fixture.run()
                runs.append(result.curve.map(\.loss) + result.tasks.compactMap { $0.merged?.loss })
            }
        }
        #expect(runs[0].count == runs[1].count && runs[0].count > 4)
        for (short, long) in zip(runs[0], runs[1]) { #expect(abs(long - short) < 1e-5) }
    }

    @Test func whoeverJudgesLeavesItOut() throws {
        try withBERT(width: 16) { fixture in
            let context = try MergeContext(fixture.plan)
            let evaluation = try #require(context.evaluation)
            let evaluator = try ModelEvaluator(context, evaluation, ModelParameters(layers: context.layers))
            var result = MergeResult(tasks: context.tasks.map { TaskResult(task: $0.name, fitted: 0) })
            try evaluator.scoreOriginals(&result) { _, _ in }
            for set in evaluation.sets {
                let set = try #require(set)
                let shortest = try #require(set.padding?.shortest.first)
                #expect(try set.batch([shortest]).inputs["input_ids"]?.shape == [1, 8])
            }
        }
    }
}
