import Testing
import Torch

@Suite struct GradientTapeTests {
    private struct Stop: Error, Equatable {}

    @Test func gradientsOfAllUsesAreSummedAndHandedOverOnce() throws {
        let tape = GradientTape()
        let x = try tape.watch(Tensor([1, 2, 3] as [Float], shape: [3]), index: 7)
        let y = try tape.watch(Tensor([4, 5, 6] as [Float], shape: [3]), index: 8)
        let loss = try x.multiplied(by: y).adding(x.multiplied(by: x)).sum()
        var gradients: [Int: [Float]] = [:]
        try tape.backward(loss) { index, gradient in
            #expect(gradients[index] == nil)
            gradients[index] = try gradient.floats()
        }
        #expect(gradients == [7: [6, 9, 12], 8: [1, 2, 3]])
    }

    @Test func anErrorInTheBodyStopsThePassAndComesOut() throws {
        let tape = GradientTape()
        let watched = try (0..<4).map { try tape.watch(Tensor([1] as [Float], shape: [1]), index: $0) }
        var sum = watched[0]
        for tensor in watched.dropFirst() { sum = try sum.multiplied(by: tensor) }
        var calls = 0
        #expect(throws: Stop()) {
            try tape.backward(sum.sum()) { _, _ in
                calls += 1
                throw Stop()
            }
        }
        #expect(calls == 1)
    }

    @Test func aTapeCanBeUsedAgainAfterAnError() throws {
        let tape = GradientTape()
        let x = try tape.watch(Tensor([3] as [Float], shape: [1]), index: 0)
        #expect(throws: Stop()) { try tape.backward(x.multiplied(by: x).sum()) { _, _ in throw Stop() } }
        var gradient: Double?
        try tape.backward(x.multiplied(by: x).sum()) { gradient = try $1.item() }
        #expect(gradient == 6)
    }

    @Test func gradientsArriveAsSoonAsTheyAreComplete() throws {
        let tape = GradientTape()
        let early = try tape.watch(Tensor([2] as [Float], shape: [1]), index: 0)
        let late = try tape.watch(Tensor([3] as [Float], shape: [1]), index: 1)
        var value = early
        for _ in 0..<3 { value = try value.multiplied(by: early) }
        var order: [Int] = []
        try tape.backward(value.multiplied(by: late).sum()) { index, _ in order.append(index) }
        #expect(order == [1, 0])
    }

    @Test func aLossThatDependsOnNothingIsAnError() throws {
        let tape = GradientTape()
        #expect(throws: TorchError.self) { try tape.backward(Tensor([1] as [Float], shape: [1])) { _, _ in } }
    }

    @Test func aLossOfManyElementsIsAnError() throws {
        let tape = GradientTape()
        let x = try tape.watch(Tensor([1, 2] as [Float], shape: [2]), index: 0)
        #expect(throws: TorchError.self) { try tape.backward(x) { _, _ in } }
    }

    @Test func integersHaveNoGradient() throws {
        #expect(throws: TorchError.self) {
            try GradientTape().watch(Tensor([1] as [Int64], shape: [1]), index: 0)
        }
    }

    @Test func nothingIsRecordedWithoutGradients() throws {
        let tape = GradientTape()
        let x = try tape.watch(Tensor([1] as [Float], shape: [1]), index: 0)
        let loss = try TorchRuntime.withoutGradients { try x.multiplied(by: x).sum() }
        #expect(throws: TorchError.self) { try tape.backward(loss) { _, _ in } }
    }

    @Test func watchingSharesMemory() throws {
        let tensor = try Tensor([1, 2] as [Float], shape: [2])
        let alias = try GradientTape().watch(tensor, index: 0)
        try tensor.multiply(by: 3)
        #expect(try alias.floats() == [3, 6])
    }
}
