import Files
import Safetensors
import Tasks
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// A layer that is longer than one piece: rows keep their weights, whether it is streamed or kept.
@Suite(.serialized)
struct PieceTests {
    private let shape = [1500, 700]

    private func vectors(in directory: String, _ granularity: MergeSettings.Granularity) throws -> TaskVectors {
        var random = SeededRandom(state: 21)
        let count = shape.reduce(1, *)
        var folders: [String] = []
        for (name, type) in [("base", SafetensorsDType.f32), ("one", .f32), ("two", .bf16)] {
            let folder = try ModelFolder(newAt: directory + "/" + name)
            let values = (0..<count).map { _ in random.uniform() }
            let content: ModelFolder.Content =
                type == .f32
                ? .init(values, .f32, shape: shape)
                : .init(values.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) }, .bf16, shape: shape)
            try folder.write(["big": content])
            folders.append(folder.path)
        }
        let base = try Checkpoint(directory: folders[0])
        let tasks = try folders.dropFirst().map { path in
            try TaskModel(
                TaskSource(name: path, directory: path, files: [], digest: "", settings: TaskSettings()), base: base,
                ties: TiedNames(nil, base: base))
        }
        let layer = Layer(try #require(base.entry("big")), granularity)
        return try TaskVectors(base: base, tasks: tasks, layers: [layer])
    }

    private func weights(_ vectors: TaskVectors) -> MergingWeights {
        var weights = MergingWeights(taskCount: 2, layers: vectors.layers, coefficient: 0, squash: .identity)
        var random = SeededRandom(state: 5)
        for index in weights.values.indices { weights.values[index] = Double(random.uniform()) }
        return weights
    }

    @Test(arguments: AdapterFixture.granularities)
    func everyWeightCountsWhereItShould(granularity: MergeSettings.Granularity) throws {
        try Fixture.temporarily { directory in
            let vectors = try vectors(in: directory, granularity)
            let weights = weights(vectors)
            var pieces = 0
            try vectors.forEachPiece(of: 0) { piece in
                pieces += 1
                let rows = [.tensor: 1, .element: piece.elements.count][granularity] ?? piece.elements.count / 700
                #expect(piece.rows.count == rows)
            }
            #expect(pieces > 1)
            let parameters = try ModelParameters(layers: vectors.layers)
            try parameters.merge(0, vectors, weights)
            let merged = try parameters.tensors[0].floats()
            let origin = try vectors.base.tensor("big").floats()
            let tasks = try vectors.tasks.map { try $0.checkpoint.tensor("big").floats() }
            let coefficients = (0..<2).map { weights.coefficients(task: $0, layer: 0) }
            let gains = (0..<2).map { weights.gains(task: $0, layer: 0) }
            #expect(gains[0].count == (granularity == .rowColumn ? 700 : 0))
            var worst: Float = 0
            for index in origin.indices {
                let row = [.tensor: 0, .element: index][granularity] ?? index / 700
                var wanted = origin[index]
                for task in 0..<2 {
                    let gain = gains[task].isEmpty ? 1 : gains[task][index % 700]
                    wanted += Float(coefficients[task][row] * gain) * (tasks[task][index] - origin[index])
                }
                worst = max(worst, abs(wanted - merged[index]))
            }
            #expect(worst < 1e-6)
        }
    }

    @Test func whatIsKeptIsWhatIsStreamed() throws {
        try Fixture.temporarily { directory in
            let vectors = try vectors(in: directory, .row)
            let weights = weights(vectors)
            let gradient = [Float](repeating: 0.5, count: shape.reduce(1, *))
            func results() throws -> ([UInt8], [Double]) {
                let parameters = try ModelParameters(layers: vectors.layers)
                try parameters.merge(0, vectors, weights)
                var products: [Double] = []
                try vectors.forEachPiece(of: 0) { piece in
                    products += try gradient.withUnsafeBufferPointer { slope in
                        try MergeKernel.dots(
                            gradient: slope.baseAddress! + piece.elements.lowerBound, origin: piece.origin,
                            vectors: piece.vectors, rows: piece.rows.count, stride: 700)
                    }
                }
                return (try parameters.tensors[0].withUnsafeMutableBytes { Array($0) }, products)
            }
            let streamed = try results()
            vectors.keepsRead = true
            let first = try results()
            let second = try results()
            #expect(streamed.0 == first.0 && streamed.1 == first.1)
            #expect(first.0 == second.0 && first.1 == second.1)
        }
    }

    @Test func aTaskThatMovesNothingIsFound() throws {
        try Fixture.temporarily { directory in
            _ = try vectors(in: directory, .row)
            let base = try Checkpoint(directory: directory + "/base")
            let still = TaskSource(
                name: "still", directory: directory + "/base", files: [], digest: "", settings: TaskSettings())
            let moved = TaskSource(
                name: "one", directory: directory + "/one", files: [], digest: "", settings: TaskSettings())
            let ties = TiedNames(nil, base: base)
            let layer = Layer(try #require(base.entry("big")), .row)
            let vectors = try TaskVectors(
                base: base, tasks: [still, moved].map { try TaskModel($0, base: base, ties: ties) }, layers: [layer])
            try vectors.findZeros { _ in }
            #expect(vectors.active == [[false], [true]])
            #expect(vectors.movers(of: 0) == [1])
        }
    }
}
