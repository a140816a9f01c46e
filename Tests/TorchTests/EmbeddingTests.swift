import Testing
import Torch

/// What is looked up in a watched table comes back as the rows that were looked up.
@Suite struct EmbeddingTests {
    private static let rows = 9, columns = 5
    private static let places: [Int64] = [3, 0, 3, 8, 1, 3]

    private static func table() throws -> Tensor {
        try Tensor((0..<rows * columns).map { Float(($0 * 7) % 11) - 5 }, shape: [rows, columns])
    }

    private static func looked(up places: [Int64], in table: Tensor, padding: Int = -1, isScaled: Bool = false) throws
        -> Tensor
    {
        let places = try Tensor(places, shape: [2, places.count / 2])
        return try .one(
            "aten::embedding", [.tensor(table), .tensor(places), .int(padding), .bool(isScaled), .bool(false)])
    }

    /// Squares, of which each place's counts differently, and the fifth not at all.
    private static func loss(_ output: Tensor) throws -> Tensor {
        let shares = try Tensor([1, 2, 3, 4, 0, 6] as [Float], shape: [2, 3, 1])
        return try output.multiplied(by: output).multiplied(by: shares).sum()
    }

    private struct Parts {
        var places: [[Int64]] = []
        var rows = 0
        var wholes = 0
        /// All parts, added up.
        var sum = [Float](repeating: 0, count: EmbeddingTests.rows * EmbeddingTests.columns)
    }

    private func parts(
        _ forms: GradientTape.Forms, _ loss: (Tensor) throws -> Tensor
    ) throws -> Parts {
        let tape = GradientTape()
        var parts = Parts()
        let table = try tape.watch(Self.table(), index: 4, in: forms)
        try tape.backward(inParts: loss(table)) { index, part in
            #expect(index == 4)
            switch part {
            case .whole(let gradient):
                parts.wholes += 1
                for (place, value) in try gradient.floats().enumerated() { parts.sum[place] += value }
            case .rows(let places, let values):
                let own = try places.integers()
                #expect(values.shape == [own.count, Self.columns])
                parts.places.append(own)
                for (place, value) in try values.floats().enumerated() {
                    parts.sum[Int(own[place / Self.columns]) * Self.columns + place % Self.columns] += value
                }
            case .product: Issue.record("a product")
            }
        }
        return parts
    }

    @Test(arguments: [-1, 0, 3]) func rowsAreTheGradient(padding: Int) throws {
        func loss(_ table: Tensor) throws -> Tensor {
            try Self.loss(Self.looked(up: Self.places, in: table, padding: padding))
        }
        let (own, expected) = try (parts(.rows, loss), parts([], loss))
        #expect(own.wholes == 0 && expected.wholes == 1 && expected.places == [])
        #expect(own.sum == expected.sum)
        #expect(own.places == [Self.places.enumerated().filter { $0.0 != 4 && $0.1 != padding }.map(\.1)])
    }

    @Test func everyUseOfATiedTableCounts() throws {
        func loss(_ table: Tensor) throws -> Tensor {
            let looked = try Self.looked(up: Self.places, in: table)
            return try Self.loss(looked).adding(Self.loss(Self.looked(up: [1, 1, 1, 1, 1, 1], in: table)))
                .adding(table.multiplied(by: table).sum())
        }
        let (own, expected) = try (parts([.rows, .products], loss), parts([], loss))
        #expect(own.wholes == 1 && own.places.count == 2)
        #expect(own.sum == expected.sum)
    }

    @Test func whatNoLossLooksAtIsNotHandedOver() throws {
        let own = try parts(.rows) { try Self.looked(up: Self.places, in: $0).multiplied(by: 0).sum() }
        #expect(own.places == [] && own.wholes == 0)
    }

    @Test func aTableWhoseGradientIsScaledByCountsIsLeftToLibtorch() throws {
        func loss(_ table: Tensor) throws -> Tensor {
            try Self.loss(Self.looked(up: Self.places, in: table, isScaled: true))
        }
        let (own, expected) = try (parts(.rows, loss), parts([], loss))
        #expect(own.wholes == 1 && own.places == [] && own.sum == expected.sum)
    }

    @Test func aLossIsBackPropagatedOnce() throws {
        let tape = GradientTape()
        let loss = try Self.looked(up: Self.places, in: tape.watch(Self.table(), index: 0, in: .rows)).sum()
        try tape.backward(inParts: loss) { _, _ in }
        #expect(throws: TorchError.self) { try tape.backward(inParts: loss) { _, _ in } }
    }

    @Test func placesThatWereWrittenOverAreNotTakenForThoseThatWere() throws {
        let tape = GradientTape()
        let places = try Tensor([1, 2] as [Int64], shape: [2])
        let table = try tape.watch(Self.table(), index: 0, in: .rows)
        let looked = try Tensor.one(
            "aten::embedding", [.tensor(table), .tensor(places), .int(-1), .bool(false), .bool(false)])
        _ = try Tensor.call("aten::fill_", "Scalar", [.tensor(places), .int(1_000_000)])
        let error = #expect(throws: TorchError.self) { try tape.backward(inParts: looked.sum()) { _, _ in } }
        #expect(error?.message.contains("modified by an inplace operation") == true)
    }

    @Test func aSmallTableThatIsLookedUpOftenIsLeftToLibtorch() throws {
        let places = (0..<12).map { Int64($0 % Self.rows) }
        func loss(_ table: Tensor) throws -> Tensor { try Self.looked(up: places, in: table).sum() }
        let (own, expected) = try (parts(.rows, loss), parts([], loss))
        #expect(own.wholes == 1 && own.places == [] && own.sum == expected.sum)
    }

    @Test func placesMayBeOfAnyIntegerType() throws {
        let tape = GradientTape()
        let table = try tape.watch(Self.table(), index: 0, in: .rows)
        let places = try Tensor([1, 7] as [Int64], shape: [2]).to(.int32)
        let looked = try Tensor.one(
            "aten::embedding", [.tensor(table), .tensor(places), .int(-1), .bool(false), .bool(false)])
        var own: [Int64] = []
        try tape.backward(inParts: looked.sum()) { _, part in
            if case .rows(let places, _) = part { own = try places.integers() }
        }
        #expect(own == [1, 7])
    }

    @Test func nothingIsRecordedWithoutGradients() throws {
        let table = try GradientTape().watch(Self.table(), index: 0, in: .rows)
        let plain = try Self.looked(up: Self.places, in: Self.table())
        let own = try TorchRuntime.withoutGradients { try Self.looked(up: Self.places, in: table) }
        #expect(try own.floats() == plain.floats() && own.shape == [2, 3, Self.columns])
    }
}
