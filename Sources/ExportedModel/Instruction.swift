package import Torch

/// One step of a compiled graph.
package struct Instruction {
    /// What it does: an operator's call, or the beginning or end of a mode's region.
    package enum Action {
        case call(Operator)
        case beginGradMode(Bool)
        case beginAutocast(Bool, DType?)
        case endMode
    }

    package let action: Action
    /// The operator as the graph names it, `torch.ops.aten.linear.default`; empty for modes.
    package let target: String
    /// The graph's node.
    package let node: String
    /// One for each argument of the operator's schema, in its order.
    package let arguments: [Program.Operand]
    /// The slots of the results in order, lists unpacked; -1 where nothing reads one.
    package let results: [Int]

    init(_ action: Action, target: String = "", node: String, arguments: [Program.Operand] = [], results: [Int] = []) {
        self.action = action
        self.target = target
        self.node = node
        self.arguments = arguments
        self.results = results
    }

    /// The dispatcher's name without the overload, `aten::linear`; empty for modes.
    package var operatorName: String { target.isEmpty ? "" : Target(target).name }

    /// The argument of that name in the operator's schema; nil where it has none.
    package func argument(_ name: String) -> Program.Operand? {
        guard case .call(let op) = action, let index = op.arguments.firstIndex(where: { $0.name == name }) else {
            return nil
        }
        return index < arguments.count ? arguments[index] : nil
    }

    /// Slots that it reads.
    package var reads: [Int] { arguments.flatMap(\.slots) }

    /// Slots that it fills.
    package var writes: [Int] { results.filter { $0 >= 0 } }
}

extension Program.Operand {
    /// The slots in it.
    package var slots: [Int] {
        switch self {
        case .slot(let slot): [slot]
        case .list(let items): items.flatMap(\.slots)
        default: []
        }
    }
}
