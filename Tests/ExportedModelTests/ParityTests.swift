import ExportedGraph
import ExportedModel
import Testing
import Torch

/// PyTorch's own logits and gradients, at the export's lengths and at others.
@Suite struct ParityTests {
    private static let cases = Fixture.names.flatMap { name in ["same", "other"].map { (name, $0) } }

    @Test(arguments: cases) func logitsAreThoseOfPyTorch(name: String, lengths: String) throws {
        let fixture = try Fixture(name)
        let model = try ExportedModel(fixture.graph)
        let logits = try TorchRuntime.withoutGradients {
            try model.forward(inputs: fixture.inputs(lengths), parameters: fixture.weights)
        }
        let expected = try fixture.tensor(lengths, "logits")
        #expect(logits.shape == expected.shape)
        #expect(try difference(logits, expected) < 1e-5)
    }

    @Test(arguments: cases) func everyGradientIsThatOfPyTorch(name: String, lengths: String) throws {
        let fixture = try Fixture(name)
        let model = try ExportedModel(fixture.graph)
        let tape = GradientTape()
        let buffers = Set(model.signature.buffers.map(\.name))
        let names = fixture.weights.keys.filter { !buffers.contains($0) }.sorted()
        var parameters = fixture.weights
        for (index, name) in names.enumerated() {
            parameters[name] = try tape.watch(#require(fixture.weights[name]), index: index)
        }
        let logits = try model.forward(inputs: fixture.inputs(lengths), parameters: parameters)
        let loss = try logits.reshaped([-1, #require(logits.shape.last)])
            .crossEntropy(fixture.tensor(lengths, "labels"))
        var gradients: [String: Tensor] = [:]
        try tape.backward(loss) { gradients[names[$0]] = $1 }
        let expected = fixture.gradients(lengths)
        #expect(Set(gradients.keys) == Set(expected.keys))
        let largest = try expected.values.map { try magnitude($0) }.max() ?? 0
        for (name, gradient) in gradients {
            let reference = try #require(expected[name])
            #expect(gradient.shape == reference.shape)
            if try magnitude(reference) < 2e-6 * largest {
                // Zero but for rounding, as the gradient of a key's bias always is.
                let rounding = try magnitude(gradient)
                #expect(rounding < 4e-6 * largest, "\(name): \(rounding)")
                continue
            }
            let error = try difference(gradient, reference)
            #expect(error < 1e-5, "\(name): \(error)")
        }
    }

    /// The largest difference, relative to the reference's largest entry.
    private func difference(_ value: Tensor, _ reference: Tensor) throws -> Float {
        let values = try value.floats()
        let references = try reference.floats()
        let magnitude = try magnitude(reference)
        return zip(values, references).map { abs($0 - $1) }.max().map { $0 / max(magnitude, .leastNormalMagnitude) }
            ?? 0
    }

    private func magnitude(_ tensor: Tensor) throws -> Float { try tensor.floats().map(abs).max() ?? 0 }
}
