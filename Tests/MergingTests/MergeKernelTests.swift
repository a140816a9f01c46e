import Testing
import Torch

/// The two sums of a merge against PyTorch's own conversions and operators.
@Suite struct MergeKernelTests {
    private static let types: [DType] = [.float32, .bfloat16, .float16, .float64]
    private static let pairs = types.flatMap { from in types.map { (from, $0) } }

    /// Ordinary numbers, ties of every rounding, the ends of the types, subnormals, infinities and NaN.
    private func specials() -> [Float] {
        var random = SeededRandom(state: 9)
        var values = (0..<2000).map { _ in 4 * random.uniform() }
        values += (0..<64).map { Float(bitPattern: 0x3F80_0000 + UInt32($0) << 11) }
        values += (0..<64).map { Float(bitPattern: 0x3F80_7FFF + UInt32($0) << 15) }
        values += (0..<64).map { Float(bitPattern: 0x3F80_8000 + UInt32($0) << 16) }
        values += [
            0, -0.0, 65504, 65519, 65520, -65536, 6e-8, 2.9e-8, Float(bitPattern: 71362), -.leastNonzeroMagnitude,
            3.4e38, .infinity, -.infinity,
        ]
        return values + [.nan, -.nan, Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFFF_FFFF)]
    }

    private func sum(
        _ origin: Tensor, _ vectors: [Tensor], _ coefficients: [Float], rows: Int, into dtype: DType
    ) throws -> Tensor {
        let result = try Tensor(empty: origin.shape, dtype)
        try withPieces([origin] + vectors) { pieces in
            try result.withUnsafeMutableBytes { bytes in
                try MergeKernel.sum(
                    origin: pieces[0], vectors: Array(pieces[1...]), coefficients: coefficients, rows: rows,
                    stride: origin.elementCount / rows, into: bytes.baseAddress!, dtype)
            }
        }
        return result
    }

    private func withPieces(_ tensors: [Tensor], _ body: ([MergeKernel.Piece]) throws -> Void) throws {
        func collect(_ rest: ArraySlice<Tensor>, _ pieces: [MergeKernel.Piece]) throws {
            guard let first = rest.first else { return try body(pieces) }
            try first.withUnsafeMutableBytes { bytes in
                let piece = MergeKernel.Piece(UnsafeRawPointer(bytes.baseAddress!), first.dtype)
                try collect(rest.dropFirst(), pieces + [piece])
            }
        }
        try collect(tensors[...], [])
    }

    private func bytes(_ tensor: Tensor) throws -> [UInt8] { try tensor.withUnsafeMutableBytes { Array($0) } }

    @Test(arguments: pairs) func conversionsRoundAsPyTorchDoes(from: DType, to: DType) throws {
        let values = specials()
        let source = try Tensor(values, shape: [values.count]).to(from)
        let got = try sum(source, [], [], rows: 1, into: to)
        // Sums are in float32, so double precision passes through it.
        let expected = try source.to(.float32).to(to)
        for (index, pair) in zip(try got.doubles(), try expected.doubles()).enumerated() {
            #expect(pair.0 == pair.1 || pair.0.isNaN && pair.1.isNaN, "\(values[index]): \(pair)")
        }
        if from != .float32 || to != .float32 { return }
        #expect(try bytes(got) == bytes(expected))
    }

    @Test(arguments: pairs) func sumsAreThoseOfPyTorch(from: DType, to: DType) throws {
        var random = SeededRandom(state: 4)
        let (rows, stride) = (5, 1300)
        func tensor() throws -> Tensor {
            try Tensor((0..<rows * stride).map { _ in random.uniform() }, shape: [rows, stride]).to(from)
        }
        let (origin, first, second) = (try tensor(), try tensor(), try tensor())
        let coefficients = (0..<2 * rows).map { _ in random.uniform() }
        let got = try sum(origin, [first, second], coefficients, rows: rows, into: to)
        let wide = try origin.to(.float64)
        var expected = wide
        for (place, vector) in [first, second].enumerated() {
            let column = try Tensor(Array(coefficients[place * rows..<(place + 1) * rows]), shape: [rows, 1])
            expected = try expected.adding(vector.to(.float64).subtracting(wide).multiplied(by: column.to(.float64)))
        }
        // Half a unit of the last place of the result's type, and the rounding of float32 sums.
        let units: [DType: Double] = [.bfloat16: 0x1p-8, .float16: 0x1p-11]
        let unit = units[to] ?? 0
        for (got, wanted) in zip(try got.doubles(), try expected.doubles()) {
            #expect(abs(got - wanted) <= unit * abs(wanted) + 1e-6, "\(got), PyTorch \(wanted)")
        }
    }

    @Test(arguments: types, [1, 31, 1024, 1300]) func dotProductsAreThoseOfPyTorch(type: DType, stride: Int) throws {
        var random = SeededRandom(state: 6)
        let rows = 3
        func values() -> [Float] { (0..<rows * stride).map { _ in random.uniform() } }
        let gradient = try Tensor(values(), shape: [rows, stride])
        let tensors = try (0..<3).map { _ in try Tensor(values(), shape: [rows, stride]).to(type) }
        var products: [Double] = []
        try withPieces([gradient] + tensors) { pieces in
            products = try MergeKernel.dots(
                gradient: pieces[0].bytes.assumingMemoryBound(to: Float.self), origin: pieces[1],
                vectors: Array(pieces[2...]), rows: rows, stride: stride)
        }
        let wide = try tensors.map { try $0.to(.float64) }
        let expected = try wide[1...].flatMap { vector in
            try vector.subtracting(wide[0]).multiplied(by: gradient.to(.float64)).sum(over: [1]).doubles()
        }
        #expect(products.count == 6)
        for (got, wanted) in zip(products, expected) { #expect(abs(got - wanted) < 1e-5 * Double(stride), "\(got)") }
    }

    @Test(arguments: types, [(1, 1), (3, 31), (70, 1300), (257, 64)])
    func gatedDotProductsAreThoseOfPyTorch(type: DType, size: (rows: Int, stride: Int)) throws {
        var random = SeededRandom(state: 7)
        let (rows, stride) = size
        func values(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform() } }
        let gradient = try Tensor(values(rows * stride), shape: [rows, stride])
        let tensors = try (0..<3).map { _ in try Tensor(values(rows * stride), shape: [rows, stride]).to(type) }
        let (coefficients, gains) = (values(2 * rows), values(2 * stride))
        var products: (rows: [Double], columns: [Double]) = ([], [])
        try withPieces([gradient] + tensors) { pieces in
            products = try MergeKernel.gatedDots(
                gradient: pieces[0].bytes.assumingMemoryBound(to: Float.self), origin: pieces[1],
                vectors: Array(pieces[2...]), coefficients: coefficients, gains: gains, rows: rows, stride: stride)
        }
        let wide = try tensors.map { try $0.to(.float64) }
        for place in 0..<2 {
            let moved = try wide[place + 1].subtracting(wide[0]).multiplied(by: gradient.to(.float64))
            let column = try Tensor(Array(coefficients[place * rows..<(place + 1) * rows]), shape: [rows, 1])
            let row = try Tensor(Array(gains[place * stride..<(place + 1) * stride]), shape: [1, stride])
            let byRow = try moved.multiplied(by: row.to(.float64)).sum(over: [1]).doubles()
            let byColumn = try moved.multiplied(by: column.to(.float64)).sum(over: [0]).doubles()
            for (got, wanted) in zip(products.rows[(place * rows)...], byRow) {
                #expect(abs(got - wanted) < 1e-5 * Double(stride), "\(got)")
            }
            for (got, wanted) in zip(products.columns[(place * stride)...], byColumn) {
                #expect(abs(got - wanted) < 1e-5 * Double(rows), "\(got)")
            }
        }
    }

    /// In a process of its own: the thread count is the whole process's.
    @Test func gatedDotProductsHaveSameBitsWithOneThreadAndTwoInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            var random = SeededRandom(state: 7)
            let (rows, stride) = (257, 1300)
            func values(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform() } }
            let tensors = try (0..<4).map { _ in try Tensor(values(rows * stride), shape: [rows, stride]) }
            let (coefficients, gains) = (values(2 * rows), values(2 * stride))
            func products(_ threads: Int) throws -> (rows: [Double], columns: [Double]) {
                try TorchRuntime.setThreads(threads)
                var products: (rows: [Double], columns: [Double]) = ([], [])
                try MergeKernelTests().withPieces(tensors) { pieces in
                    products = try MergeKernel.gatedDots(
                        gradient: pieces[0].bytes.assumingMemoryBound(to: Float.self), origin: pieces[1],
                        vectors: Array(pieces[2...]), coefficients: coefficients, gains: gains, rows: rows,
                        stride: stride)
                }
                return products
            }
            let (one, two) = (try products(1), try products(2))
            #expect(one.rows == two.rows && one.columns == two.columns)
        }
    }

    @Test func noNaNIsLostInARow() throws {
        let origin = try Tensor([1, 2, 3] as [Float], shape: [3])
        let vector = try Tensor([1, .nan, .infinity] as [Float], shape: [3])
        let got = try sum(origin, [vector], [0.5], rows: 1, into: .bfloat16).floats()
        #expect(got[0] == 1 && got[1].isNaN && got[2] == .infinity)
    }
}
