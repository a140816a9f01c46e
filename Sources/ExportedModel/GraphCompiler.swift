import ExportedGraph
import Torch

/// Turns a graph into instructions over numbered slots: operators resolved, arguments bound by schema, sub-graphs
/// inlined.
struct GraphCompiler {
    /// Values by name: slots, or constants that sub-graphs were given.
    typealias Scope = [String: Program.Operand]

    private(set) var instructions: [Instruction] = []
    private(set) var slotCount = 0
    /// What the graph says of the tensor in a slot.
    private(set) var types: [Int: TensorMeta] = [:]

    mutating func newSlot(_ type: TensorMeta? = nil) -> Int {
        defer { slotCount += 1 }
        types[slotCount] = type
        return slotCount
    }

    /// Appends a graph's nodes; gives the scope with the values that they define.
    mutating func append(_ block: GraphBlock, _ given: Scope) throws -> Scope {
        var scope = given
        for node in block.nodes { try append(node, of: block, &scope) }
        return scope
    }

    private mutating func append(_ node: GraphNode, of block: GraphBlock, _ scope: inout Scope) throws {
        if node.target.hasPrefix("torch.ops.higher_order.") {
            try appendHigherOrder(node, &scope)
            return
        }
        let target = Target(node.target)
        if Compatibility.isAssertion(target.name) { return }
        guard !Compatibility.isForbidden(target.name) else {
            throw ExportedModelError.forbidden(operator: node.target, node: node.name)
        }
        guard let op = try target.find(), !Compatibility.isTraining(target.name, node.flags) else {
            throw ExportedModelError.unsupported(operator: node.target, node: node.name)
        }
        let arguments = try bound(node, op, scope)
        let results = node.results.map { name in
            guard let name else { return -1 }
            let slot = newSlot(block.tensors[name])
            scope[name] = .slot(slot)
            return slot
        }
        instructions.append(
            Instruction(.call(op), target: node.target, node: node.name, arguments: arguments, results: results))
    }

    /// Grad-mode and autocast regions: their bodies run in place.
    private mutating func appendHigherOrder(_ node: GraphNode, _ scope: inout Scope) throws {
        let values = node.arguments.map(\.value)
        let unsupported = ExportedModelError.unsupported(operator: node.target, node: node.name)
        guard let position = values.firstIndex(where: { if case .graph = $0 { true } else { false } }),
            case .graph(let body) = values[position]
        else { throw unsupported }
        switch (node.target.split(separator: ".").last, Array(values[..<position])) {
        case ("wrap_with_set_grad_enabled", let settings):
            guard case .bool(let enabled)? = settings.first, settings.count == 1 else { throw unsupported }
            instructions.append(Instruction(.beginGradMode(enabled), node: node.name))
        case ("wrap_with_autocast", let settings):
            guard settings.count >= 3, case .bool(let enabled) = settings[2] else { throw unsupported }
            var dtype: DType?
            if case .dtype(let name) = settings[1] { dtype = DType(rawValue: name) }
            instructions.append(Instruction(.beginAutocast(enabled, dtype), node: node.name))
        default: throw unsupported
        }
        let given = try values[(position + 1)...].map { try operand($0, node, scope) }
        guard given.count == body.inputs.count, node.results.count == body.outputs.count else {
            throw ExportedModelError.malformed(
                node: node.name, reason: "its body takes or gives another count of values")
        }
        var inner: Scope = [:]
        for (input, operand) in zip(body.inputs, given) {
            if case .value(let name) = input { inner[name] = operand }
        }
        inner = try append(body, inner)
        for (name, output) in zip(node.results, body.outputs) {
            if let name { scope[name] = try operand(output, node, inner) }
        }
        instructions.append(Instruction(.endMode, node: node.name))
    }
}
