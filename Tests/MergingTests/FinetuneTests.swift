import Files
import Safetensors
import Tasks
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Fine-tuning by hand: it learns, and bad input is an error.
@Suite(.serialized)
struct FinetuneTests {
    private func run(
        classes: Int? = nil, steps: Int = 2, in directory: String, _ labels: ([Int32]) -> ModelFolder.Content
    ) throws -> Double {
        let data = try ModelFolder(Fixture.root + "/letters", copiedTo: directory + "/data")
        try data.change("validation.safetensors") { $0["labels"] = labels($0["labels"]!.values(Int32.self)) }
        var settings = Finetune.Settings()
        settings.steps = steps
        settings.batch = 12
        settings.learningRate = 0.01
        settings.classes = classes
        return try Finetune(
            base: Fixture.root + "/base", data: data.path + "/validation.safetensors", output: directory + "/tuned",
            settings: settings
        ).run { _ in }
    }

    @Test func theLossFalls() throws {
        let losses = try [1, 40].map { steps in
            try Fixture.temporarily { try run(steps: steps, in: $0) { .init($0, .i32) } }
        }
        #expect(losses[1] < 0.5 * losses[0], "\(losses)")
    }

    @Test func aNewHeadHasAClassForEveryLabel() throws {
        try Fixture.temporarily { directory in
            _ = try run(in: directory) { .init($0.map { $0 == 0 ? 6 : -100 } as [Int32], .i32) }
            #expect(try Checkpoint(directory: directory + "/tuned").entry("classifier.bias")?.shape == [7])
        }
    }

    @Test func labelsThatNoHeadCanHaveAreAnError() throws {
        let cases: [([Int32]) -> ModelFolder.Content] = [
            { .init($0.map { _ in -100 } as [Int32], .i32) },
            { .init($0.map { _ in -7 } as [Int32], .i32) },
            { .init($0.map { _ in Int64.max }, .i64) },
        ]
        for labels in cases {
            _ = try Fixture.temporarily { directory in
                #expect(throws: LabelFault.self) { _ = try run(in: directory, labels) }
            }
        }
    }

    @Test(arguments: [0, -3, Int.min]) func aHeadWithoutClassesIsAnError(classes: Int) throws {
        _ = try Fixture.temporarily { directory in
            #expect(throws: MergeError.self) { _ = try run(classes: classes, in: directory) { .init($0, .i32) } }
        }
    }

    @Test(arguments: [[Int.max, 2], [1 << 30, 1 << 30], [-1, 4]])
    func aParameterOfImpossibleSizeIsAnError(shape: [Int]) {
        var initial = Initialization(seed: 0)
        #expect(throws: MergeError.self) { try initial.tensor("weight", shape: shape) }
    }
}
