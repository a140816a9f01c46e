import Torch

extension Program {
    /// A program of `instructions` over `slots` slots; each value is freed after its last use, outputs are not.
    convenience init(_ instructions: [Instruction], slots: Int, outputs: [Int]) throws {
        try self.init(slots: slots)
        var freed: [Int: [Int]] = [:]
        var isFreed = Set(outputs)
        for (index, instruction) in instructions.enumerated().reversed() {
            for slot in instruction.reads + instruction.writes where isFreed.insert(slot).inserted {
                freed[index, default: []].append(slot)
            }
        }
        for (index, instruction) in instructions.enumerated() {
            switch instruction.action {
            case .call(let op):
                try call(
                    op, at: "\(instruction.target) of node '\(instruction.node)'", instruction.arguments,
                    results: instruction.results, freeing: freed[index] ?? [])
            case .beginGradMode(let enabled): try beginGradMode(enabled)
            case .beginAutocast(let enabled, let dtype): try beginAutocast(enabled, dtype)
            case .endMode: try endMode()
            }
        }
    }
}
