import Files
import Testing
import WorkerProtocol

@testable import Merging

/// What is wrong with one task is said of that task, at the first attempt.
@Suite(.serialized)
struct TaskFaultTests {
    private func failure(
        _ file: String = "validation.safetensors", settings change: (inout MergeSettings) -> Void = { _ in },
        _ edit: (inout [String: ModelFolder.Content]) throws -> Void
    ) throws -> MergeError? {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.holdout = 0.25
            change(&plan.settings)
            let task = try ModelFolder(plan.tasks[1].directory, copiedTo: directory + "/shapes")
            try task.change(file, edit)
            plan.tasks[1].directory = task.path
            return #expect(throws: MergeError.self) { try MergeRun(plan, report: { _ in }).run() }
        }
    }

    private func expectBlame(_ failure: MergeError?, _ word: String) {
        #expect(failure?.kind == .badTask && failure?.task == "shapes", "\(String(describing: failure))")
        #expect(failure?.message.contains(word) == true, "\(String(describing: failure))")
    }

    @Test(arguments: 0..<10) func aLabelOutsideTheHeadIsFoundWhereverItStands(place: Int) throws {
        let failure = try failure {
            var labels = $0["labels"]!.values(Int32.self)
            labels[place] = 5
            $0["labels"] = .init(labels, .i32)
        }
        expectBlame(failure, "(the first is 0) hold 5, but the head knows 0 to 4")
    }

    @Test func otherExamplesAreBlamedByTheirOwnName() throws {
        try Fixture.temporarily { directory in
            let shapes = Fixture.root + "/shapes"
            let folder = try ModelFolder(newAt: directory + "/data")
            var examples = try ModelFolder(at: shapes).tensors("validation.safetensors")
            examples["labels"] = .init([Int32](repeating: 5, count: 10), .i32)
            try folder.write(examples, to: "test.safetensors")
            let failure = #expect(throws: MergeError.self) {
                try Evaluation(
                    model: shapes, task: shapes, settings: TaskSettings(), data: folder.path + "/test.safetensors",
                    base: Fixture.root + "/base"
                ).score()
            }
            expectBlame(failure, "test.safetensors: `labels` of example 0")
        }
    }

    @Test func aTensorThatTheGraphDoesNotTakeIsTheTasksFault() throws {
        let failure = try failure { $0["token_type_ids"] = .init([Int32](repeating: 1, count: 10), .i32) }
        expectBlame(failure, "the graph has no input `token_type_ids`")
        try Fixture.temporarily { directory in
            let task = try ModelFolder(Fixture.root + "/shapes", copiedTo: directory + "/shapes")
            try task.change("validation.safetensors") { $0["choices"] = $0["labels"] }
            let failure = #expect(throws: MergeError.self) {
                try Evaluation(
                    model: task.path, task: task.path, settings: TaskSettings(), base: Fixture.root + "/base"
                ).score()
            }
            expectBlame(failure, "the graph has no input `choices`")
        }
    }

    @Test func labelsOfAnotherRankAreTheTasksFault() throws {
        let failure = try failure { $0["labels"] = .init([Int32](repeating: 0, count: 20), .i32, shape: [10, 2]) }
        expectBlame(failure, "`labels` are [10, 2]")
    }

    @Test func nothingToScoreIsTheTasksFault() throws {
        let failure = try failure { $0["labels"] = .init([Int32](repeating: -100, count: 10), .i32) }
        expectBlame(failure, "hold -100")
    }

    @Test func pixelsOfAnotherSizeAreTheTasksFault() throws {
        let failure = try failure {
            $0["pixel_values"] = .init([Float](repeating: 0, count: 10 * 3 * 16), .f32, shape: [10, 3, 4, 4])
        }
        expectBlame(failure, "pixel_values")
    }

    @Test func aHeadThatDoesNotFitTheTrunkIsTheTasksFault() throws {
        let failure = try failure("model.safetensors") {
            $0["classifier.weight"] = .init([Float](repeating: 0, count: 5 * 7), .f32, shape: [5, 7])
        }
        expectBlame(failure, "linear")
    }

    @Test func aCheckpointOfNaNIsTheTasksFault() throws {
        let failure = try failure("model.safetensors") {
            $0["classifier.bias"] = .init([Float](repeating: .nan, count: 5), .f32)
        }
        expectBlame(failure, "NaN")
    }

    @Test func aTokenBeyondTheVocabularyIsTheTasksFault() throws {
        try Fixture.temporarily { directory in
            let fixture = try LanguageFixture(in: directory)
            try fixture.task.change("validation.safetensors") {
                var tokens = $0["input_ids"]!.values(Int64.self)
                tokens[5] = 32
                $0["input_ids"] = .init(tokens, .i64, shape: [12, 6])
            }
            let failure = #expect(throws: MergeError.self) { try MergeRun(fixture.plan, report: { _ in }).run() }
            #expect(failure?.kind == .badTask && failure?.task == "poems")
            #expect(failure?.message.contains("embedding") == true)
        }
    }

    @Test func aLossThatOverflowsDuringTheFitIsTheTasksFault() throws {
        // Examples that are not held out, so that only the fit sees them.
        let failure = try failure {
            let fitted = Set(try self.fitted())
            var pixels = $0["pixel_values"]!.values(Float.self)
            for index in fitted { for place in 0..<432 { pixels[index * 432 + place] = .infinity } }
            $0["pixel_values"] = .init(pixels, .f32, shape: [10, 3, 12, 12])
        }
        expectBlame(failure, "no longer finite at step 0")
    }

    private func fitted() throws -> [Int] {
        let order = Sampler.permutation(10, seed: try Fixture.settings().seed, stream: "shapes/holdout")
        return Array(order.dropFirst(3))
    }
}
