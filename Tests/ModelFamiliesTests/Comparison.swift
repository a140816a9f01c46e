import ExportedModel
import Testing
import Torch

/// Logits and gradients of one graph for one batch.
struct Computed {
    let logits: Tensor
    let gradients: [String: Tensor]

    /// Runs the graph and the cross-entropy of its logits back to every parameter.
    init(
        _ model: ExportedModel, _ inputs: [String: Tensor], _ given: [String: Tensor], labels: Tensor
    ) throws {
        let tape = GradientTape()
        let names = given.keys.sorted()
        var parameters: [String: Tensor] = [:]
        let buffers = Set(model.signature.buffers.map(\.name))
        for (index, name) in names.enumerated() {
            let value = try #require(given[name])
            // Running statistics have no gradient.
            parameters[name] = buffers.contains(name) ? value : try tape.watch(value, index: index)
        }
        logits = try model.forward(inputs: inputs, parameters: parameters)
        let loss = try logits.reshaped([-1, #require(logits.shape.last)]).crossEntropy(labels)
        var gradients: [String: Tensor] = [:]
        try tape.backward(loss) { gradients[names[$0]] = $1 }
        self.gradients = gradients
    }

    init(logits: Tensor, gradients: [String: Tensor]) {
        self.logits = logits
        self.gradients = gradients
    }

    /// The reference's processor summed in another order than this one: 1.6e-5 was seen between two kinds.
    private static let tolerance: Float = 5e-5

    /// Whether both are the reference's to `tolerance` of the largest entry of each tensor.
    func expectEqual(to reference: Computed) throws {
        #expect(logits.shape == reference.logits.shape)
        #expect(try Self.difference(logits, reference.logits) < Self.tolerance)
        #expect(Set(gradients.keys) == Set(reference.gradients.keys))
        let largest = try reference.gradients.values.map { try Self.magnitude($0) }.max() ?? 0
        for (name, gradient) in gradients {
            let expected = try #require(reference.gradients[name])
            #expect(gradient.shape == expected.shape)
            if try Self.magnitude(expected) < 2e-6 * largest {
                // Zero but for rounding, as the gradient of a key's bias always is.
                let rounding = try Self.magnitude(gradient)
                #expect(rounding < 4e-6 * largest, "\(name): \(rounding)")
                continue
            }
            let error = try Self.difference(gradient, expected)
            #expect(error < Self.tolerance, "\(name): \(error)")
        }
    }

    private static func difference(_ value: Tensor, _ reference: Tensor) throws -> Float {
        let largest = try zip(value.floats(), reference.floats()).map { abs($0 - $1) }.max() ?? 0
        return try largest / max(magnitude(reference), .leastNormalMagnitude)
    }

    private static func magnitude(_ tensor: Tensor) throws -> Float { try tensor.floats().map(abs).max() ?? 0 }
}
