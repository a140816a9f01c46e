package import ExportedGraph
package import Torch

/// A graph that has been checked against this libtorch and can be run, whole or in ranges of its instructions.
package final class ExportedModel {
    package let signature: GraphSignature
    /// In the order in which they run.
    package let instructions: [Instruction]
    /// The inputs of the program; input i is slot i.
    package let inputs: [Input]
    /// The slot of the first output (logits).
    package let outputSlot: Int
    /// The slot of the texts' embeddings, where the graph gives them beside the logits.
    package let embeddingSlot: Int?
    let program: Program
    let liveness: Liveness
    /// What the graph says of the tensor in a slot.
    let types: [Int: TensorMeta]
    private let graph: ExportedGraph

    /// One input of the program.
    package struct Input {
        package let kind: GraphInput.Kind
        /// Name, shape and, for tied parameters, aliases.
        package let slot: GraphSignature.Slot
        package let dtype: DType
        /// The archive's own value of a buffer or constant.
        let own: Tensor?

        /// The name and, for tied parameters, the aliases.
        package var names: [String] { [slot.name] + slot.aliases }
    }

    /// Resolves every operator now; throws `ExportedModelError.unsupported` with the operator's and the node's name.
    package init(_ graph: ExportedGraph) throws {
        self.graph = graph
        signature = graph.signature
        var compiler = GraphCompiler()
        var scope: GraphCompiler.Scope = [:]
        let given = graph.inputs.filter { $0.value != nil }
        for input in given {
            let slot = compiler.newSlot(input.value.flatMap { graph.body.tensors[$0] })
            if let value = input.value { scope[value] = .slot(slot) }
        }
        scope = try compiler.append(graph.body, scope)
        let outputs = try graph.outputs.map { output in
            guard case .value(let name) = output, case .slot(let slot)? = scope[name] else {
                throw ExportedModelError.malformed(node: "output", reason: "the graph returns no tensor there")
            }
            return slot
        }
        guard let logits = outputs.first else {
            throw ExportedModelError.malformed(node: "output", reason: "the graph returns nothing")
        }
        outputSlot = logits
        embeddingSlot = graph.signature.embedding == .output && outputs.count > 1 ? outputs[1] : nil
        let returned = [logits] + [embeddingSlot].compactMap(\.self)
        instructions = compiler.instructions
        types = compiler.types
        program = try Program(compiler.instructions, slots: compiler.slotCount, outputs: returned)
        inputs = try given.map { input in
            let slot = try graph.slot(input)
            guard let dtype = DType(rawValue: slot.dtype) else {
                throw ExportedModelError.unsupported(operator: slot.dtype, node: input.name)
            }
            let own = input.kind == .buffer || input.kind == .constant ? try graph.tensor(input.name) : nil
            return Input(kind: input.kind, slot: slot, dtype: dtype, own: own)
        }
        liveness = Liveness(
            compiler.instructions, slots: compiler.slotCount, inputs: given.count,
            parameters: Set(inputs.indices.filter { [inputs] in inputs[$0].kind == .parameter }), outputs: returned)
    }

    /// Names of the graph's parameters in the graph's order, each of tied ones.
    package var parameterNames: [String] { signature.parameters.map(\.name) }

    /// Runs the graph. `parameters` holds every parameter (tied ones under any of their names) and may override
    /// buffers; integer inputs are widened, floating-point inputs converted to the graph's type, and those that the
    /// graph takes as zeros may be left out. Returns the first output (logits). Parameters may have other shapes than
    /// the export's: a head belongs to its task.
    package func forward(inputs given: [String: Tensor], parameters: [String: Tensor]) throws -> Tensor {
        let values = try start(given)
        for slot in inputs.indices { try fill(slot, of: values) { parameters[$0] } }
        try values.run(instructions.indices)
        return try output(of: values)
    }

    /// The archive's own weight, where it has one.
    package func ownWeight(_ name: String) throws -> Tensor? { try graph.tensor(name) }
}
