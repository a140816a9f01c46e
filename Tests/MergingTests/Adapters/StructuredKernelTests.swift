import Testing
import Torch

/// The sums and dot products of structured vectors against the obvious loops.
struct StructuredKernelTests {
    struct Form: CustomTestStringConvertible, Sendable {
        var rows: Int
        var columns: Int
        var rank: Int
        var testDescription: String { "\(rows)×\(columns), rank \(rank)" }
    }

    static let forms = [
        Form(rows: 1, columns: 1, rank: 1), Form(rows: 3, columns: 31, rank: 2), Form(rows: 4, columns: 32, rank: 16),
        Form(rows: 37, columns: 1025, rank: 5), Form(rows: 130, columns: 2080, rank: 3),
        Form(rows: 64, columns: 1024, rank: 8),
    ]

    @Test(arguments: forms) func sumsAndDotsOfLowRanks(_ form: Form) throws {
        let (rows, columns, rank) = (form.rows, form.columns, form.rank)
        let origin = AdapterFixture.noise(rows * columns, seed: 1)
        let gradient = AdapterFixture.noise(rows * columns, seed: 2)
        let updates = (0..<2).map { place in
            MergeKernel.Update(
                .lowRank(rank: rank), left: AdapterFixture.noise(rows * rank, seed: UInt64(3 + place)),
                right: AdapterFixture.noise(rank * columns, seed: UInt64(5 + place)))
        }
        let weights = (0..<2).map { place in
            MergeKernel.Weights(
                coefficients: AdapterFixture.noise(rows, seed: UInt64(7 + place)),
                gains: AdapterFixture.noise(columns, seed: UInt64(9 + place)))
        }
        var vectors: [[Double]] = []
        for update in updates {
            vectors.append(
                (0..<rows * columns).map { place in
                    (0..<rank).reduce(0.0) { sum, k in
                        sum + Double(update.left[place / columns * rank + k])
                            * Double(update.right[k * columns + place % columns])
                    }
                })
        }
        var sums = origin.map(Double.init)
        var rowProducts = [Double](repeating: 0, count: 2 * rows)
        var columnProducts = [Double](repeating: 0, count: 2 * columns)
        for (place, vector) in vectors.enumerated() {
            for element in vector.indices {
                let (row, column) = (element / columns, element % columns)
                let factor = Double(weights[place].coefficients[rows == 1 ? 0 : row])
                let gain = Double(weights[place].gains[column])
                sums[element] += factor * gain * vector[element]
                let product = Double(gradient[element]) * vector[element]
                rowProducts[place * rows + row] += gain * product
                columnProducts[place * columns + column] += factor * product
            }
        }
        var result = [Float](repeating: 0, count: rows * columns)
        let products = try origin.withUnsafeBytes { bytes in
            let piece = MergeKernel.Piece(try #require(bytes.baseAddress), .float32)
            try result.withUnsafeMutableBytes { result in
                try MergeKernel.structuredSum(
                    origin: piece, vectors: [], updates: updates, weights: weights, rows: 0..<rows, columns: columns,
                    into: try #require(result.baseAddress), .float32)
            }
            return try gradient.withUnsafeBufferPointer { gradient in
                try MergeKernel.structuredDots(
                    gradient: try #require(gradient.baseAddress), origin: piece, updates: updates, weights: weights,
                    rows: 0..<rows, columns: columns)
            }
        }
        #expect(AdapterFixture.distance(result.map(Double.init), sums) < 2e-6)
        #expect(AdapterFixture.distance(products.rows, rowProducts) < 1e-5)
        #expect(AdapterFixture.distance(products.columns, columnProducts) < 1e-5)
    }

    @Test func someRowsOfAMatrixAreThoseOfTheWhole() throws {
        let update = MergeKernel.Update(
            .lowRank(rank: 3), left: AdapterFixture.noise(60, seed: 1), right: AdapterFixture.noise(150, seed: 2))
        let origin = AdapterFixture.noise(1000, seed: 3)
        let one = MergeKernel.Weights(coefficients: [1])
        func sum(_ rows: Range<Int>) throws -> [Float] {
            var result = [Float](repeating: 0, count: rows.count * 50)
            try origin.withUnsafeBytes { bytes in
                try result.withUnsafeMutableBytes { result in
                    let start = try #require(bytes.baseAddress) + rows.lowerBound * 200
                    try MergeKernel.structuredSum(
                        origin: .init(start, .float32), vectors: [], updates: [update], weights: [one], rows: rows,
                        columns: 50, into: try #require(result.baseAddress), .float32)
                }
            }
            return result
        }
        let whole = try sum(0..<20)
        #expect(try sum(7..<18) == Array(whole[350..<900]))
    }

    /// In a process of its own: the thread count is the whole process's.
    @Test func givesSameBitsWithOneThreadAndTwoInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            let update = MergeKernel.Update(
                .lowRank(rank: 4), left: AdapterFixture.noise(2400, seed: 1), right: AdapterFixture.noise(2000, seed: 2)
            )
            let values = AdapterFixture.noise(300_000, seed: 3)
            let weights = MergeKernel.Weights(
                coefficients: [0.5], gains: AdapterFixture.noise(500, seed: 4))
            func products(_ threads: Int) throws -> (rows: [Double], columns: [Double]) {
                try TorchRuntime.setThreads(threads)
                return try values.withUnsafeBytes { bytes in
                    let start = try #require(bytes.baseAddress)
                    return try MergeKernel.structuredDots(
                        gradient: start.assumingMemoryBound(to: Float.self), origin: .init(start, .float32),
                        updates: [update], weights: [weights], rows: 0..<600, columns: 500)
                }
            }
            let (one, two) = (try products(1), try products(2))
            #expect(one.rows == two.rows && one.columns == two.columns)
        }
    }
}
