package import ExportedModel

/// Floating point operations of one forward pass of a batch, from the graph's own description: nothing is run. Products
/// of matrices, convolutions and attention are counted, a multiplication and an addition as two; everything else is
/// small beside them.
package struct OperationCount: Hashable, Sendable {
    /// Of a forward pass.
    package let forward: Double

    /// `batch` is the length of a value's first free axis, `length` that of any other.
    package init(_ model: ExportedModel, batch: Int, length: Int) {
        let shapes = Shapes(model: model, batch: batch, length: length)
        forward = model.instructions.reduce(0) { $0 + 2 * shapes.products(of: $1) }
    }

    private struct Shapes {
        let model: ExportedModel
        let batch: Int
        let length: Int

        /// Multiplications of one instruction.
        func products(of instruction: Instruction) -> Double {
            switch instruction.operatorName {
            case "aten::linear":
                // The input times a weight of [outputs, inputs].
                elements(instruction, "input") * Double(shape(instruction, "weight")?.first ?? 0)
            case "aten::mm", "aten::bmm", "aten::matmul":
                elements(instruction, "self")
                    * Double(
                        shape(instruction, instruction.operatorName == "aten::matmul" ? "other" : "mat2")?.last ?? 0)
            case "aten::addmm": elements(instruction, "mat1") * Double(shape(instruction, "mat2")?.last ?? 0)
            case "aten::baddbmm": elements(instruction, "batch1") * Double(shape(instruction, "batch2")?.last ?? 0)
            case "aten::conv1d", "aten::conv2d", "aten::conv3d", "aten::convolution":
                // Each output is a sum over a kernel of [outputs, inputs, sides …].
                Self.count(instruction.writes.first.flatMap { shape(of: $0) } ?? [0])
                    * Self.count(shape(instruction, "weight")?.dropFirst() ?? [0])
            case "aten::scaled_dot_product_attention":
                // Each query times each key, and the weights of the keys times their values.
                elements(instruction, "query") / Double(max(1, shape(instruction, "query")?.last ?? 1))
                    * Double(shape(instruction, "key")?.dropLast().last ?? 0)
                    * Double((shape(instruction, "key")?.last ?? 0) + (shape(instruction, "value")?.last ?? 0))
            default: 0
            }
        }

        private func elements(_ instruction: Instruction, _ name: String) -> Double {
            Self.count(shape(instruction, name) ?? [0])
        }

        private static func count(_ shape: some Sequence<Int>) -> Double { shape.reduce(1) { $0 * Double($1) } }

        private func shape(_ instruction: Instruction, _ name: String) -> [Int]? {
            guard case .slot(let slot)? = instruction.argument(name) else { return nil }
            return shape(of: slot)
        }

        private func shape(of slot: Int) -> [Int]? {
            let described =
                model.inputs.indices.contains(slot) ? model.inputs[slot].slot.shape : model.type(of: slot)?.shape
            guard let described else { return nil }
            var lengths = described.map { $0 ?? length }
            if let first = described.firstIndex(where: { $0 == nil }) { lengths[first] = batch }
            return lengths
        }
    }
}
