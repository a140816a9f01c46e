import Testing
import Torch

@testable import Merging

@Suite struct GradientSumTests {
    private func tensor(_ values: Float...) throws -> Tensor { try Tensor(values, shape: [values.count]) }

    @Test func oneTasksGradientIsPassedOnAndNotKept() throws {
        let sum = GradientSum()
        let gradient = try tensor(1, 2)
        let taken = try #require(try sum.take(0, adding: gradient))
        #expect(try taken.floats() == [1, 2])
        #expect(sum.layers.isEmpty)
        #expect(try sum.take(0) == nil)
        try gradient.multiply(by: 2)
        #expect(try taken.floats() == [2, 4], "no copy was made")
    }

    @Test(arguments: 2...5) func theSumIsThatOfAllTasks(tasks: Int) throws {
        let sum = GradientSum()
        let gradients = try (0..<tasks).map { try tensor(Float($0), 1, -2 * Float($0)) }
        for gradient in gradients.dropLast() { try sum.add(gradient, of: 4) }
        #expect(sum.layers == [4])
        let total = Float(tasks * (tasks - 1) / 2)
        #expect(try sum.take(4, adding: gradients.last)?.floats() == [total, Float(tasks), -2 * total])
        #expect(sum.layers.isEmpty)
    }

    /// The engine hands one tensor to both summands of an addition.
    @Test(arguments: 1...4) func aGradientThatSeveralLayersShareIsNeverWrittenTo(more: Int) throws {
        let sum = GradientSum()
        let shared = try tensor(1, 2, 3)
        for layer in 0..<3 { try sum.add(shared, of: layer) }
        for _ in 0..<more { try sum.add(tensor(10, 10, 10), of: 0) }
        try sum.add(shared, of: 1)
        let ten = Float(10 * more)
        #expect(try shared.floats() == [1, 2, 3])
        #expect(try sum.take(0, adding: shared)?.floats() == [2 + ten, 4 + ten, 6 + ten])
        #expect(try sum.take(1)?.floats() == [2, 4, 6])
        #expect(try sum.take(2)?.floats() == [1, 2, 3])
        #expect(try shared.floats() == [1, 2, 3])
    }

    @Test func aSumThatNobodyElseHoldsIsAddedToInPlace() throws {
        let sum = GradientSum()
        func place(_ tensor: Tensor) throws -> UInt {
            try tensor.withUnsafeMutableBytes { UInt(bitPattern: $0.baseAddress) }
        }
        func addFirst() throws -> UInt {
            let first = try tensor(1, 2)
            try sum.add(first, of: 0)
            return try place(first)
        }
        let first = try addFirst()
        try sum.add(tensor(3, 4), of: 0)
        let taken = try #require(try sum.take(0, adding: tensor(5, 6)))
        #expect(try place(taken) == first)
        #expect(try taken.floats() == [9, 12])
    }

    @Test func productsAddUpWithWholeGradients() throws {
        let sum = GradientSum()
        let left = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
        let right = try Tensor([1, 0, 2, 1, 1, 0] as [Float], shape: [2, 3])
        let whole = try Tensor([10, 20, 30, 40, 50, 60] as [Float], shape: [2, 3])
        let product: [Float] = [4, 3, 2, 6, 4, 4]
        try sum.add(left: left, right: right, of: 0)
        try sum.add(left: left, right: right, of: 0)
        try sum.add(whole, of: 1)
        try sum.add(left: left, right: right, of: 1)
        #expect(try sum.take(0)?.floats() == product.map { 2 * $0 })
        #expect(try sum.take(1, adding: whole)?.floats() == zip(product, try whole.floats()).map { $0 + 2 * $1 })
        #expect(try whole.floats() == [10, 20, 30, 40, 50, 60], "the engine may use it elsewhere")
        #expect(try left.floats() == [1, 2, 3, 4])
    }

    @Test func aLayerThatTheLastTaskDoesNotReachKeepsItsSum() throws {
        let sum = GradientSum()
        try sum.add(tensor(1), of: 7)
        try sum.add(tensor(1), of: 2)
        try sum.add(tensor(2), of: 7)
        #expect(try sum.take(2, adding: tensor(5))?.item() == 6)
        #expect(sum.layers == [7])
        #expect(try sum.take(7)?.item() == 3)
    }

    @Test func sumsAreInSinglePrecisionAndRowMajor() throws {
        let sum = GradientSum()
        let wide = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        let turned = try Tensor.one("aten::t", [.tensor(wide)])
        let narrow = try Tensor([Float](repeating: 1, count: 6), shape: [3, 2]).to(.bfloat16)
        try sum.add(narrow, of: 0)
        let taken = try #require(try sum.take(0, adding: turned))
        #expect(taken.dtype == .float32 && taken.shape == [3, 2])
        let bytes = try taken.withUnsafeMutableBytes { Array($0.bindMemory(to: Float.self)) }
        #expect(bytes == [2, 5, 3, 6, 4, 7])
        let alone = try #require(try sum.take(1, adding: turned))
        #expect(try alone.withUnsafeMutableBytes { Array($0.bindMemory(to: Float.self)) } == [1, 4, 2, 5, 3, 6])
        #expect(try wide.floats() == [1, 2, 3, 4, 5, 6])
    }
}
