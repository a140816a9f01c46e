import Torch

/// When each slot of a compiled graph is filled and last read, which share memory, and where the list of instructions
/// can be cut.
struct Liveness {
    /// The instruction that fills a slot; -1 for inputs.
    let filled: [Int]
    /// The last instruction that reads a slot; the count of instructions for outputs, -1 where nothing reads it.
    let lastRead: [Int]
    /// The slot whose memory a slot shares: itself, or where it is a view the first of its memory.
    let storage: [Int]
    /// Whether a value is computed from a parameter.
    let dependsOnParameters: [Bool]
    /// By position 0...count: whether a run can end before that instruction and be resumed or repeated from there.
    let isCut: [Bool]

    /// `parameters`: the input slots that are parameters. `inputs`: how many slots are filled before the first
    /// instruction.
    init(_ instructions: [Instruction], slots: Int, inputs: Int, parameters: Set<Int>, outputs: [Int]) {
        var filled = [Int](repeating: -1, count: slots)
        var lastRead = [Int](repeating: -1, count: slots)
        var storage = Array(0..<slots)
        var depends = (0..<slots).map { parameters.contains($0) }
        var isCut = [Bool](repeating: true, count: instructions.count + 1)
        var depth = 0
        // Ranges in which memory is live that a later instruction writes to: what is repeated from there would be
        // written to twice.
        var rewritten: [Range<Int>] = []
        for (index, instruction) in instructions.enumerated() {
            if depth > 0 { isCut[index] = false }
            for slot in instruction.reads { lastRead[slot] = index }
            let reads = instruction.reads
            for slot in instruction.writes {
                filled[slot] = index
                depends[slot] = reads.contains { depends[$0] }
            }
            switch instruction.action {
            case .beginGradMode, .beginAutocast: depth += 1
            case .endMode: depth -= 1
            case .call(let op):
                for (argument, operand) in zip(op.arguments, instruction.arguments) {
                    let roots = operand.slots.map { storage[$0] }
                    if argument.isWritten { rewritten += roots.map { filled[$0] + 1..<index + 1 } }
                    let isShared = argument.isAliased || Self.returnsInput(instruction)
                    guard isShared, let root = roots.first else { continue }
                    for slot in instruction.writes { storage[slot] = root }
                }
            }
        }
        for slot in outputs { lastRead[slot] = instructions.count }
        for position in rewritten.joined() { isCut[position] = false }
        (self.filled, self.lastRead, self.storage) = (filled, lastRead, storage)
        (dependsOnParameters, self.isCut) = (depends, isCut)
    }

    /// Slots that an instruction fills before `position` and one from there on reads.
    func live(at position: Int) -> [Int] {
        filled.indices.filter { filled[$0] >= 0 && filled[$0] < position && lastRead[$0] >= position }
    }

    /// Operators that return their input itself although their schema doesn't say so.
    private static func returnsInput(_ instruction: Instruction) -> Bool {
        ["aten::dropout", "aten::feature_dropout", "aten::alpha_dropout"].contains(instruction.operatorName)
    }
}
