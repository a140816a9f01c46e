package import ExportedModel
package import Torch

/// Where the parameters of one model come from: it decides where they lie, in which type, and when they go.
package protocol ParameterSource: AnyObject {
    /// Those of `inputs` (parameters, buffers and constants of a segment) that the source has, by one of their names.
    /// The caller drops them when the segment has run; the source may then reuse their memory.
    func lease(_ inputs: [ExportedModel.Input]) throws -> [String: Tensor]
    /// Says that these are leased next, so that their bytes can be on the way while others are computed with. Takes no
    /// memory of the process, and never fails.
    func prefetch(_ inputs: [ExportedModel.Input])
}

extension ParameterSource {
    package func prefetch(_ inputs: [ExportedModel.Input]) {}
}

/// A model's parameters: some at hand, the others leased.
package struct ModelWeights {
    /// Tensors that go before what the trunk has: a task's head, or a whole model.
    package var own: [String: Tensor]
    /// Nil where `own` holds everything.
    package var trunk: (any ParameterSource)?

    package init(own: [String: Tensor], trunk: (any ParameterSource)? = nil) {
        self.own = own
        self.trunk = trunk
    }
}

/// One forward pass: the graph's inputs, and the parameters that belong to this pass alone (a task's head).
package struct ForwardPass {
    package var inputs: [String: Tensor]
    package var own: [String: Tensor]
    /// What it is run for: instructions behind that, and their parameters, are left out.
    package var output: ModelOutput

    package init(inputs: [String: Tensor], own: [String: Tensor], output: ModelOutput = .logits) {
        self.inputs = inputs
        self.own = own
        self.output = output
    }
}
