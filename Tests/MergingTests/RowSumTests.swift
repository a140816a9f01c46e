import Adapters
import Safetensors
import Testing
import Torch
import WorkerProtocol

@testable import Merging

@Suite struct RowSumTests {
    private func sum() throws -> RowSum {
        let sum = RowSum(rows: 9, columns: 2)
        try sum.add(
            Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2]), at: Tensor([7, 0, 7] as [Int64], shape: [3]))
        try sum.add(Tensor([10, 20, 30, 40] as [Float], shape: [2, 2]), at: Tensor([0, 3] as [Int64], shape: [2]))
        return sum
    }

    @Test func rowsAreAddedUpAtTheirPlaces() throws {
        let sum = try sum()
        #expect(sum.elements(0..<18) == [13, 24, 0, 0, 0, 0, 30, 40, 0, 0, 0, 0, 0, 0, 6, 8, 0, 0])
        // Pieces need not be whole rows.
        #expect(sum.elements(1..<7) == [24, 0, 0, 0, 0, 30])
        #expect(sum.elements(15..<18) == [8, 0, 0])
        #expect(sum.occurs(in: 1..<2) && sum.occurs(in: 5..<7) && sum.occurs(in: 0..<18))
        #expect(!sum.occurs(in: 2..<6) && !sum.occurs(in: 16..<18))
    }

    @Test func whatIsNoRowOfTheTableIsAnError() throws {
        let sum = try sum()
        for place in [-1, 9] as [Int64] {
            #expect(throws: TorchError.self) {
                try sum.add(Tensor([1, 2] as [Float], shape: [1, 2]), at: Tensor([place], shape: [1]))
            }
        }
        #expect(throws: TorchError.self) {
            try sum.add(Tensor([1, 2, 3] as [Float], shape: [1, 3]), at: Tensor([1] as [Int64], shape: [1]))
        }
        #expect(sum.elements(2..<4) == [0, 0])
    }

    /// Every kind of task vector that an embedding may have, a few elements to a piece.
    @Test(arguments: AdapterFixture.granularities)
    func dotProductsAreThoseOfTheWholeGradient(_ granularity: MergeSettings.Granularity) throws {
        let base = try Checkpoint(directory: AdapterFixture.root + "/base")
        let layers = AdapterFixture.layers(base, granularity)
        let tasks: [any VectorSource] = try [
            AdapterFixture.Folded("rslora"), AdapterFixture.task("embedding", base), AdapterFixture.task("lora", base),
        ]
        let vectors = try TaskVectors(base: base, tasks: tasks, layers: layers)
        let weights = AdapterParityTests.weights(layers, tasks: tasks.count)
        for (index, layer) in layers.enumerated() where layer.shape.count == 2 {
            let (rows, columns) = (layer.shape[0], layer.shape[1])
            let places = [0, rows - 1, rows / 2, 0].map(Int64.init)
            let values = AdapterFixture.noise(places.count * columns, seed: UInt64(index + 1))
            let sum = RowSum(rows: rows, columns: columns)
            try sum.add(Tensor(values, shape: [places.count, columns]), at: Tensor(places, shape: [places.count]))
            var own = [Double](repeating: 0, count: weights.values.count)
            var expected = own
            try vectors.addDots(rows: sum, of: index, weights, into: &own)
            try sum.elements(0..<layer.elementCount).withUnsafeBufferPointer { gradient in
                try vectors.addDots(gradient: #require(gradient.baseAddress), of: index, weights, into: &expected)
            }
            #expect(own == expected, "\(layer.name)")
            #expect(!vectors.isMoved(index) || own.contains { $0 != 0 }, "\(layer.name)")
        }
    }
}
