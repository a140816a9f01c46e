import Torch

/// One step of a compiled graph, before it is known what may be freed after it.
enum Instruction {
    case call(Operator, place: String, arguments: [Program.Operand], results: [Int])
    case beginGradMode(Bool)
    case beginAutocast(Bool, DType?)
    case endMode

    /// Slots that the step reads or writes.
    var slots: [Int] {
        guard case .call(_, _, let arguments, let results) = self else { return [] }
        return arguments.flatMap(\.slots) + results.filter { $0 >= 0 }
    }
}

extension Program.Operand {
    fileprivate var slots: [Int] {
        switch self {
        case .slot(let slot): [slot]
        case .list(let items): items.flatMap(\.slots)
        default: []
        }
    }
}
