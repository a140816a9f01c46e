import Adapters
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// Dot products from the factors against those from the whole gradient.
struct FactoredLayerTests {
    /// Adapters of one base whose ranks differ.
    private static let names = ["lora", "rslora", "expression"]

    private func vectors(_ names: [String], _ layers: [Layer], _ base: Checkpoint) throws -> TaskVectors {
        try TaskVectors(base: base, tasks: names.map { try AdapterFixture.task($0, base) }, layers: layers)
    }

    private func tensor(_ shape: [Int], seed: UInt64) throws -> Tensor {
        try Tensor(AdapterFixture.noise(shape.reduce(1, *), seed: seed), shape: shape)
    }

    @Test(arguments: [MergeSettings.Granularity.tensor, .row, .rowColumn], [["lora"], names])
    func dotProductsAreThoseOfTheGradient(_ granularity: MergeSettings.Granularity, _ names: [String]) throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: "lora"))
        let layers = AdapterFixture.layers(base, granularity)
        let vectors = try vectors(names, layers, base)
        var weights = MergingWeights(taskCount: names.count, layers: layers, coefficient: 0.3, squash: .tanh)
        weights.values = AdapterFixture.noise(weights.values.count, seed: 9).map(Double.init)
        var seen = 0
        for (index, layer) in layers.enumerated() {
            guard let factored = try FactoredLayer(index, of: vectors, weights, always: true) else { continue }
            seen += 1
            let slope = try tensor([29, layer.shape[0]], seed: 3)
            let input = try tensor([29, layer.shape[1]], seed: 4)
            var products = [Double](repeating: 0, count: weights.values.count)
            var expected = products
            try factored.addDots(slope: slope, input: input, weights, into: &products)
            let gradient = try slope.transposed().matrixProduct(input).floats()
            try gradient.withUnsafeBufferPointer { gradient in
                let start = try #require(gradient.baseAddress)
                try vectors.addDots(gradient: start, of: index, weights, into: &expected)
            }
            #expect(expected.contains { $0 != 0 })
            #expect(AdapterFixture.distance(products, expected) < 1e-5, "\(layer.name)")
        }
        #expect(seen == 2, "first.weight and square.weight")
    }

    @Test func otherWeightsCountFromThenOn() throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: "lora"))
        let layers = AdapterFixture.layers(base, .rowColumn)
        let vectors = try vectors(["lora"], layers, base)
        let index = try #require(layers.firstIndex { $0.name == "first.weight" })
        var weights = MergingWeights(taskCount: 1, layers: layers, coefficient: 0.3, squash: .tanh)
        let layer = try #require(try FactoredLayer(index, of: vectors, weights, always: true))
        weights.values = AdapterFixture.noise(weights.values.count, seed: 9).map(Double.init)
        try layer.weigh(weights)
        let fresh = try #require(try FactoredLayer(index, of: vectors, weights, always: true))
        let (slope, input) = try (tensor([8, 37], seed: 3), tensor([8, 6], seed: 4))
        let dots = try [layer, fresh].map { layer in
            var dots = [Double](repeating: 0, count: weights.values.count)
            try layer.addDots(slope: slope, input: input, weights, into: &dots)
            return dots
        }
        #expect(dots[0] == dots[1])
    }

    /// Vectors, embeddings apart from their shape, (IA)³, tasks that hold the layer whole, and weights for each
    /// element.
    @Test func whatHasNoLowRankIsLeftOut() throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: "lora"))
        func factored(_ names: [String], _ granularity: MergeSettings.Granularity = .tensor) throws -> [String] {
            let layers = AdapterFixture.layers(base, granularity)
            let vectors = try vectors(names, layers, base)
            let weights = MergingWeights(
                taskCount: names.count, layers: layers, coefficient: 0.3, squash: .tanh)
            return try layers.indices.compactMap { index in
                try FactoredLayer(index, of: vectors, weights, always: true).map { _ in layers[index].name }
            }
        }
        #expect(try factored(["ia3"]).isEmpty)
        #expect(try factored(["lora"], .element).isEmpty)
        #expect(try factored(["lora-bias"]) == ["first.weight", "square.weight"])
        #expect(try !factored(["lora", "ia3"]).contains("square.weight"))
        #expect(try factored(["convolution"]).allSatisfy { !$0.hasPrefix("conv") && !$0.hasPrefix("point") })
    }

    /// R · (rows + columns) against rows · columns: 4 · 43 of 222 in `first`, 4 · 20 of 100 in `square`.
    @Test func largeRanksAreNotWorthIt() throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: "lora"))
        func count(_ names: [String], _ granularity: MergeSettings.Granularity) throws -> Int {
            let layers = AdapterFixture.layers(base, granularity)
            let vectors = try vectors(names, layers, base)
            let weights = MergingWeights(
                taskCount: names.count, layers: layers, coefficient: 0.3, squash: .tanh)
            return try layers.indices.filter { try FactoredLayer($0, of: vectors, weights) != nil }.count
        }
        #expect(try count(["lora"], .tensor) == 2)
        #expect(try count(["lora"], .rowColumn) == 0)
        #expect(try count(["lora", "lora"], .tensor) == 0)
    }
}
