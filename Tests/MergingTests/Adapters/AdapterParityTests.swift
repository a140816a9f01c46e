import Adapters
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// What an adapter does to its base, against PEFT's own folding and against dense task vectors.
struct AdapterParityTests {
    @Test(arguments: AdapterFixture.cases) func foldsAsPEFTDoes(_ name: String) throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: name))
        let task = try AdapterFixture.task(name, base)
        let layers = AdapterFixture.layers(base, .tensor)
        let own = try ModelParameters(layers: layers)
        try own.load(task: 0, TaskVectors(base: base, tasks: [task], layers: layers))
        let merged = try AdapterFixture.Folded(name).checkpoint
        var moved = 0
        for (layer, tensor) in zip(layers, own.tensors) {
            let expected = try merged.tensor(layer.name).floats()
            #expect(AdapterFixture.distance(try tensor.floats(), expected) < 1e-6, "\(layer.name)")
            if try base.tensor(layer.name).floats() != expected { moved += 1 }
        }
        #expect(moved > 0)
        for head in task.head {
            #expect(try task.checkpoint.tensor(head).floats() == merged.tensor(head).floats(), "\(head)")
        }
        #expect(Set(task.head).isSubset(of: ["classifier.weight", "classifier.bias"]))
    }

    @Test(arguments: AdapterFixture.cases, AdapterFixture.granularities)
    func dotProductsAreThoseOfDenseVectors(_ name: String, _ granularity: MergeSettings.Granularity) throws {
        let base = try Checkpoint(directory: AdapterFixture.base(of: name))
        let layers = AdapterFixture.layers(base, granularity)
        let structured = try TaskVectors(
            base: base, tasks: [AdapterFixture.task(name, base)], layers: layers)
        let dense = try TaskVectors(base: base, tasks: [AdapterFixture.Folded(name)], layers: layers)
        let weights = Self.weights(layers, tasks: 1)
        for (index, layer) in layers.enumerated() {
            let gradient = AdapterFixture.noise(layer.elementCount, seed: UInt64(index + 1))
            var products = [Double](repeating: 0, count: weights.values.count)
            var expected = products
            try gradient.withUnsafeBufferPointer { gradient in
                let start = try #require(gradient.baseAddress)
                try structured.addDots(gradient: start, of: index, weights, into: &products)
                try dense.addDots(gradient: start, of: index, weights, into: &expected)
            }
            guard structured.isMoved(index) else { continue }
            let merged = try AdapterFixture.Folded(name).checkpoint.tensor(layer.name).floats()
            let vector = zip(merged, try base.tensor(layer.name).floats()).map { Double($0 - $1) }
            let scale = Self.norm(gradient.map(Double.init)) * Self.norm(vector)
            let difference = zip(products, expected).map { ($0 - $1).magnitude }.max() ?? 0
            #expect(difference <= 2e-6 * scale, "\(layer.name)")
        }
    }

    @Test(arguments: AdapterFixture.granularities)
    func adaptersAndFullCheckpointsMergeTogether(_ granularity: MergeSettings.Granularity) throws {
        let names = ["lora", "ia3", "saved", "biases", "lora-bias", "embedding"]
        let base = try Checkpoint(directory: AdapterFixture.root + "/base")
        let layers = AdapterFixture.layers(base, granularity)
        let full = try AdapterFixture.Folded("rslora")
        let structured = try TaskVectors(
            base: base, tasks: [full] + names.map { try AdapterFixture.task($0, base) }, layers: layers)
        let dense = try TaskVectors(
            base: base, tasks: [full] + names.map { try AdapterFixture.Folded($0) }, layers: layers)
        let weights = Self.weights(layers, tasks: names.count + 1)
        let merged = try (ModelParameters(layers: layers), ModelParameters(layers: layers))
        try merged.0.merge(structured, weights)
        try merged.1.merge(dense, weights)
        for (layer, (own, expected)) in zip(layers, zip(merged.0.tensors, merged.1.tensors)) {
            #expect(AdapterFixture.distance(try own.floats(), try expected.floats()) < 1e-6, "\(layer.name)")
        }
    }

    @Test func vectorsThatAreZeroAreFound() throws {
        let base = try Checkpoint(directory: AdapterFixture.root + "/base")
        let layers = AdapterFixture.layers(base, .tensor)
        let vectors = try TaskVectors(base: base, tasks: [AdapterFixture.task("biases", base)], layers: layers)
        let before = layers.indices.filter(vectors.isMoved).map { layers[$0].name }
        try vectors.findZeros { _ in }
        let after = layers.indices.filter(vectors.isMoved).map { layers[$0].name }
        #expect(before.contains("first.weight") && after.contains("first.weight"))
        #expect(after.contains("norm.bias") && !before.contains("norm.weight"))
    }

    private static func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    /// Weights of every size, so that a place that is taken for another one shows.
    static func weights(_ layers: [Layer], tasks: Int) -> MergingWeights {
        var weights = MergingWeights(taskCount: tasks, layers: layers, coefficient: 0.3, squash: .tanh)
        weights.values = AdapterFixture.noise(weights.values.count, seed: 9).map(Double.init)
        return weights
    }
}
