internal import ExportedModel
internal import Torch

/// Some examples on their way through one model, whose large values wait in a file between two calls where there is
/// one.
final class ModelRun {
    /// The next instruction.
    private(set) var position = 0
    private let model: ExportedModel
    private let values: ProgramValues
    private let file: SpilledValues?
    /// Values in the file, by slot.
    private var stored: [Int: SpilledValues.Value] = [:]
    /// Slots of stored values that are in memory, too.
    private var loaded: Set<Int> = []

    init(_ model: ExportedModel, _ inputs: [String: Tensor], file: SpilledValues?) throws {
        self.model = model
        self.file = file
        values = try model.start(inputs)
    }

    func isTensor(at slot: Int) -> Bool { stored[slot] != nil || values.isTensor(at: slot) }

    func tensor(at slot: Int) throws -> Tensor {
        try load([slot])
        return try values.tensor(at: slot)
    }

    func elementCount(at slot: Int) throws -> Int {
        try stored[slot]?.shape.reduce(1, *) ?? values.tensor(at: slot).elementCount
    }

    func set(_ tensor: Tensor, at slot: Int) throws {
        stored[slot] = nil
        loaded.remove(slot)
        try values.set(tensor, at: slot)
    }

    /// Runs up to instruction `end` where the run is not there already. `parameters`: what the instructions read.
    func run(to end: Int, _ parameters: [String: Tensor]) throws {
        guard position < end else { return }
        try run(position..<end, parameters)
        position = end
    }

    /// Runs some instructions out of turn.
    func run(_ range: Range<Int>, _ parameters: [String: Tensor]) throws {
        try load(Set(model.instructions[range].flatMap(\.reads)))
        try model.fill(values, for: range, parameters)
        try values.run(range)
        // One that a later instruction reads, too, would be held by every run until then.
        try model.empty(values, for: range)
    }

    /// Puts everything that a later instruction reads and that is large into the file; gives memory back.
    func rest() throws {
        guard let file, model.isCut(at: position) else { return }
        let live = Set(model.liveSlots(at: position))
        for slot in stored.keys where !live.contains(slot) { stored[slot] = nil }
        for slot in live.sorted() where values.isTensor(at: slot) && !isWeight(slot) {
            if stored[slot] == nil { stored[slot] = try file.store(values.tensor(at: slot)) }
            if stored[slot] != nil { try values.set(nil, at: slot) }
        }
        loaded = []
    }

    /// Whether it is a view of a parameter, which all runs share.
    private func isWeight(_ slot: Int) -> Bool { model.inputs.indices.contains(model.storageSlot(of: slot)) }

    private func load(_ slots: Set<Int>) throws {
        for slot in slots.sorted() where !loaded.contains(slot) {
            guard let value = stored[slot] else { continue }
            try values.set(value.tensor(), at: slot)
            loaded.insert(slot)
        }
    }
}
