import Foundation
import Testing
import Torch

@Suite struct CompatibilityTests {
    /// The way of an image model: what leaves gelu is turned from channels into tokens, so its gradient has other
    /// strides.
    @Test func geluWithATransposedGradientIsDifferentiatedRight() throws {
        let values = (0..<48).map { Float($0) / 12 - 2 }
        let factors = (0..<48).map { Float(($0 * 7) % 11) - 5 }
        let name = try Operator.find("supermerge::gelu", "") == nil ? "aten::gelu" : "supermerge::gelu"
        let tape = GradientTape()
        let x = try tape.watch(Tensor(values, shape: [2, 4, 6]), index: 0)
        let tokens = try Tensor.one(
            "aten::transpose", "int", [.tensor(.one(name, [.tensor(x)])), .int(1), .int(2)])
        let loss = try tokens.multiplied(by: Tensor(factors, shape: [2, 6, 4])).sum()
        var gradient: [Float] = []
        try tape.backward(loss) { gradient = try $1.floats() }
        for index in values.indices {
            let (picture, channel, place) = (index / 24, index / 6 % 4, index % 6)
            let expected = slope(Double(values[index])) * Double(factors[picture * 24 + place * 4 + channel])
            #expect(abs(Double(gradient[index]) - expected) < 1e-5)
        }
    }

    /// d gelu(x) / dx = Φ(x) + x φ(x)
    private func slope(_ x: Double) -> Double {
        (1 + erf(x / 2.0.squareRoot())) / 2 + x * exp(-x * x / 2) / (2 * .pi).squareRoot()
    }
}
