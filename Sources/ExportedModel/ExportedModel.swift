package import ExportedGraph
package import Torch

/// A graph that has been checked against this libtorch and can be run.
package final class ExportedModel {
    package let signature: GraphSignature
    private let graph: ExportedGraph
    private let program: Program
    private let inputs: [Input]

    /// One input of the program, in order.
    private struct Input {
        var kind: GraphInput.Kind
        var slot: GraphSignature.Slot
        var dtype: DType
        /// The archive's own value of a buffer or constant.
        var own: Tensor?
    }

    /// Resolves every operator now; throws `ExportedModelError.unsupported` with the operator's and the node's name.
    package init(_ graph: ExportedGraph) throws {
        self.graph = graph
        signature = graph.signature
        var compiler = GraphCompiler()
        var scope: GraphCompiler.Scope = [:]
        let given = graph.inputs.filter { $0.value != nil }
        for input in given {
            let slot = compiler.newSlot()
            if let value = input.value { scope[value] = .slot(slot) }
        }
        scope = try compiler.append(graph.body, scope)
        let outputs = try graph.outputs.map { output in
            guard case .value(let name) = output, case .slot(let slot)? = scope[name] else {
                throw ExportedModelError.malformed(node: "output", reason: "the graph returns no tensor there")
            }
            return slot
        }
        guard !outputs.isEmpty else {
            throw ExportedModelError.malformed(node: "output", reason: "the graph returns nothing")
        }
        program = try Program(
            compiler.instructions, slots: compiler.slotCount, inputs: given.count, outputs: Array(outputs.prefix(1)))
        inputs = try given.map { input in
            let slot = try graph.slot(input)
            guard let dtype = DType(rawValue: slot.dtype) else {
                throw ExportedModelError.unsupported(operator: slot.dtype, node: input.name)
            }
            let own = input.kind == .buffer || input.kind == .constant ? try graph.tensor(input.name) : nil
            return Input(kind: input.kind, slot: slot, dtype: dtype, own: own)
        }
    }

    /// Names of the graph's parameters in the graph's order, each of tied ones.
    package var parameterNames: [String] { signature.parameters.map(\.name) }

    /// Runs the graph. `parameters` holds every parameter (tied ones under any of their names) and may override buffers;
    /// integer inputs are widened, floating-point inputs converted to the graph's type, and those that the graph takes as zeros
    /// may be left out. Returns the first output (logits).
    /// Parameters may have other shapes than the export's: a head belongs to its task.
    package func forward(inputs given: [String: Tensor], parameters: [String: Tensor]) throws -> Tensor {
        let values = try inputs.map { input in
            let name = input.slot.name
            switch input.kind {
            case .parameter:
                guard let value = ([name] + input.slot.aliases).lazy.compactMap({ parameters[$0] }).first else {
                    throw ExportedModelError.missingParameter(name)
                }
                return try converted(value, input)
            case .buffer, .constant:
                guard let value = parameters[name] ?? input.own else { throw ExportedModelError.missingBuffer(name) }
                return try converted(value, input)
            case .user:
                let value = try self.value(of: input, given)
                let shape = value.shape
                guard shape.count == input.slot.shape.count,
                    zip(shape, input.slot.shape).allSatisfy({ $1 == nil || $0 == $1 })
                else { throw ExportedModelError.shape(input: name, given: shape, expected: input.slot.shape) }
                return try converted(value, input)
            }
        }
        guard let logits = try program.run(values).first else {
            throw ExportedModelError.malformed(node: "output", reason: "the graph returns nothing")
        }
        return logits
    }

    /// The archive's own weight, where it has one.
    package func ownWeight(_ name: String) throws -> Tensor? { try graph.tensor(name) }

    /// What the caller gave, or zeros where the graph takes those instead.
    private func value(of input: Input, _ given: [String: Tensor]) throws -> Tensor {
        if let value = given[input.slot.name] { return value }
        guard let like = input.slot.rule.zerosLike.flatMap({ given[$0] }) else {
            throw ExportedModelError.missingInput(input.slot.name)
        }
        return try .zeros(like.shape, input.dtype)
    }

    /// In the graph's type; numbers that would lose their fraction are refused.
    private func converted(_ value: Tensor, _ input: Input) throws -> Tensor {
        let dtype = value.dtype
        if dtype == input.dtype { return value }
        guard input.dtype.isFloatingPoint || !dtype.isFloatingPoint else {
            throw ExportedModelError.dtype(
                name: input.slot.name, given: dtype.rawValue, expected: input.dtype.rawValue)
        }
        return try value.to(input.dtype)
    }
}
