import Safetensors
import Files
import Testing
import Torch

@testable import Merging

@Suite struct MixtureTests {
    private func set(_ folder: String, inputs: ModelFolder.Content, mixup: Int) throws -> ValidationSet {
        let labels = (0..<8).map { Int64($0) }
        try ModelFolder(newAt: folder).write(
            ["x": inputs, "labels": .init(labels, .i64)], to: "validation.safetensors")
        let file = try SafetensorsFile(file: ReadableFile(path: folder + "/validation.safetensors"))
        return try ValidationSet(file, task: "t", inputNames: ["x"], holdout: 0.25, seed: 3, mixup: mixup)
    }

    private let pixels = ModelFolder.Content((0..<16).map { Float($0 * $0) }, .f32, shape: [8, 2])

    @Test func everyFittedExampleIsTheLargerPartOfItsMixtures() throws {
        try Fixture.temporarily { directory in
            let set = try set(directory, inputs: pixels, mixup: 4)
            #expect(set.fitted.count == 6 && set.mixtures.count == 24)
            #expect(set.drawn == Array(8..<32))
            for example in set.fitted { #expect(set.mixtures.count { $0.first == example } == 4) }
            #expect(set.mixtures.allSatisfy { $0.share > 0 && $0.share < 0.5 && set.fitted.contains($0.second) })
            #expect(Set(set.mixtures.map(\.second)).count > 1)
        }
    }

    @Test func aMixtureIsTheBlendOfItsParts() throws {
        try Fixture.temporarily { directory in
            let set = try set(directory, inputs: pixels, mixup: 1)
            let (inputs, labels) = try set.batch([8, 0, 9])
            let values = try #require(inputs["x"]).floats()
            for (place, index) in [8, 9].enumerated() {
                let mixture = set.mixtures[index - 8]
                let row = place * 2
                for column in 0..<2 {
                    func pixel(_ example: Int) -> Double { Double((2 * example + column) * (2 * example + column)) }
                    let wanted = (1 - mixture.share) * pixel(mixture.first) + mixture.share * pixel(mixture.second)
                    #expect(abs(Double(values[row * 2 + column]) - wanted) < 1e-3)
                }
            }
            #expect(Array(values[2..<4]) == [0, 1])
            #expect(try labels?.integers() == [set.mixtures[0].first, 0, set.mixtures[1].first].map(Int64.init))
        }
    }

    @Test func tokensAreNotMixed() throws {
        try Fixture.temporarily { directory in
            let set = try set(directory, inputs: .init((0..<16).map { Int64($0) }, .i64, shape: [8, 2]), mixup: 4)
            #expect(set.mixtures.isEmpty && set.drawn == set.fitted)
        }
    }
}
