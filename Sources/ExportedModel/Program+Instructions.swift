import Torch

extension Program {
    /// A program of `instructions` over `slots` slots, the first `inputs` of which are given; each value is freed after
    /// its last use.
    convenience init(_ instructions: [Instruction], slots: Int, inputs: Int, outputs: [Int]) throws {
        try self.init(slots: slots, inputs: inputs)
        var freed: [Int: [Int]] = [:]
        var isFreed = Set(outputs)
        for (index, instruction) in instructions.enumerated().reversed() {
            for slot in instruction.slots where isFreed.insert(slot).inserted { freed[index, default: []].append(slot) }
        }
        for (index, instruction) in instructions.enumerated() {
            switch instruction {
            case .call(let op, let place, let arguments, let results):
                try call(op, at: place, arguments, results: results, freeing: freed[index] ?? [])
            case .beginGradMode(let enabled): try beginGradMode(enabled)
            case .beginAutocast(let enabled, let dtype): try beginAutocast(enabled, dtype)
            case .endMode: try endMode()
            }
        }
        try setOutputs(outputs)
    }
}
