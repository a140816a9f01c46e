import ExportedGraph
import Torch

extension GraphCompiler {
    /// The node's arguments in the order of the operator's schema; what is not given takes its default.
    func bound(_ node: GraphNode, _ op: Operator, _ scope: Scope) throws -> [Program.Operand] {
        let declared = op.arguments
        var bound: [Program.Operand?] = declared.map { _ in nil }
        for (position, argument) in node.arguments.enumerated() {
            let index =
                isPositional(node) ? position : declared.firstIndex { $0.name == argument.name } ?? declared.count
            guard index < declared.count else {
                if argument.value.isNeutral { continue }
                throw ExportedModelError.unsupported(
                    operator: "\(node.target) with '\(argument.name)'", node: node.name)
            }
            bound[index] = try operand(argument.value, node, scope)
        }
        return try zip(declared, bound).map { declared, bound in
            guard bound != nil || declared.hasDefault else {
                throw ExportedModelError.malformed(node: node.name, reason: "argument '\(declared.name)' is missing")
            }
            return bound ?? .default
        }
    }

    /// A value of the archive as the program takes it.
    func operand(_ argument: GraphArgument, _ node: GraphNode, _ scope: Scope) throws -> Program.Operand {
        switch argument {
        case .none: return .none
        case .value(let name):
            guard let value = scope[name] else {
                throw ExportedModelError.malformed(node: node.name, reason: "nothing before it gives '\(name)'")
            }
            return value
        case .int(let integer): return .int(integer)
        case .double(let number): return .double(number)
        case .bool(let flag): return .bool(flag)
        case .string(let text): return .string(text)
        case .complex(let real, let imaginary): return .complex(real, imaginary)
        case .dtype(let name):
            guard let type = DType(rawValue: name) else {
                throw ExportedModelError.unsupported(operator: "\(node.target) in \(name)", node: node.name)
            }
            return .dtype(type)
        case .layout(let code), .memoryFormat(let code): return .int(code)
        case .device: return .string("cpu")
        case .list(let items): return .list(try items.map { try operand($0, node, scope) })
        case .graph:
            throw ExportedModelError.unsupported(operator: "\(node.target) with a graph", node: node.name)
        case .unsupported(let kind):
            throw ExportedModelError.unsupported(operator: "\(node.target) with \(kind)", node: node.name)
        }
    }

    /// Python's operators name their arguments after Python's parameters, which says nothing here.
    private func isPositional(_ node: GraphNode) -> Bool { !node.target.hasPrefix("torch.ops.") }
}

extension GraphNode {
    /// The arguments that are truth values.
    var flags: [String: Bool] {
        var flags: [String: Bool] = [:]
        for argument in arguments {
            if case .bool(let flag) = argument.value { flags[argument.name] = flag }
        }
        return flags
    }
}

extension GraphArgument {
    /// Whether an argument that this libtorch does not know yet says nothing.
    fileprivate var isNeutral: Bool {
        switch self {
        case .none, .bool(false), .layout(0), .device: true
        default: false
        }
    }
}
