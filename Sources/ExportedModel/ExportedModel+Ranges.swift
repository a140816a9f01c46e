package import ExportedGraph
package import Torch

/// Running a range of the instructions: `start`, then for each range `fill` and `ProgramValues.run`, then `output`.
extension ExportedModel {
    /// The slots of a new run with the user's inputs filled: integers widened, floating-point tensors converted to the
    /// graph's type, and those that the graph takes as zeros where they are missing.
    package func start(_ given: [String: Tensor]) throws -> ProgramValues {
        let values = try ProgramValues(program)
        for (slot, input) in inputs.enumerated() where input.kind == .user {
            let value = try self.value(of: input, given)
            let shape = value.shape
            guard shape.count == input.slot.shape.count,
                zip(shape, input.slot.shape).allSatisfy({ $1 == nil || $0 == $1 })
            else { throw ExportedModelError.shape(input: input.slot.name, given: shape, expected: input.slot.shape) }
            try values.set(converted(value, input), at: slot)
        }
        return values
    }

    /// Fills the parameters, buffers and constants that the instructions of `range` read, from `parameters` by their
    /// names, or from the graph's own buffers and constants. A run of the range empties those that no later instruction
    /// reads.
    package func fill(_ values: ProgramValues, for range: Range<Int>, _ parameters: [String: Tensor]) throws {
        for slot in weightSlots(of: range) { try fill(slot, of: values) { parameters[$0] } }
    }

    /// Fills one parameter, buffer or constant: what `parameter` has under one of its names, or the graph's own.
    package func fill(_ slot: Int, of values: ProgramValues, _ parameter: (String) -> Tensor?) throws {
        let input = inputs[slot]
        let name = input.slot.name
        switch input.kind {
        case .parameter:
            guard let value = input.names.lazy.compactMap(parameter).first else {
                throw ExportedModelError.missingParameter(name)
            }
            try values.set(converted(value, input), at: slot)
        case .buffer, .constant:
            guard let value = parameter(name) ?? input.own else { throw ExportedModelError.missingBuffer(name) }
            try values.set(converted(value, input), at: slot)
        case .user: break
        }
    }

    /// Empties the parameters, buffers and constants that the instructions of `range` read.
    package func empty(_ values: ProgramValues, for range: Range<Int>) throws {
        for slot in weightSlots(of: range) { try values.set(nil, at: slot) }
    }

    /// An output of a run whose instructions up to `end(of:)` have run.
    package func output(_ output: ModelOutput = .logits, of values: ProgramValues) throws -> Tensor {
        try values.tensor(at: slot(of: output))
    }

    /// The instruction before which everything that an output needs has run. Logits are all; embeddings do without the
    /// head.
    package func end(of output: ModelOutput) -> Int {
        let slot = slot(of: output)
        guard slot != outputSlot else { return instructions.count }
        return (instructions.lastIndex { $0.writes.contains(slot) } ?? instructions.count - 1) + 1
    }

    /// The slot of an output. A graph without embeddings of its own has them for its first output.
    package func slot(of output: ModelOutput) -> Int {
        output == .embeddings ? embeddingSlot ?? outputSlot : outputSlot
    }

    /// Whether a run can stop before instruction `position`, 0...count, and go on or be repeated from there: not inside
    /// a grad-mode or autocast region, and not where memory is live that a later instruction writes to.
    package func isCut(at position: Int) -> Bool { liveness.isCut[position] }

    /// Slots of values that were computed before `position` and that instructions from there on read, or that are
    /// returned. With the inputs they are all that a run needs to go on.
    package func liveSlots(at position: Int) -> [Int] { liveness.live(at: position) }

    /// Whether the value in a slot is a parameter or is computed from one.
    package func dependsOnParameters(_ slot: Int) -> Bool { liveness.dependsOnParameters[slot] }

    /// Names of the parameters that an instruction reads, each of tied ones.
    package func parameters(of instruction: Int) -> [String] {
        instructions[instruction].reads.compactMap { parameterName(at: $0) }
    }

    /// The name of the parameter in a slot; nil where it holds something else.
    package func parameterName(at slot: Int) -> String? {
        inputs.indices.contains(slot) && inputs[slot].kind == .parameter ? inputs[slot].slot.name : nil
    }

    /// What the graph says of the tensor in a slot; nil for numbers, and where it says nothing.
    package func type(of slot: Int) -> TensorMeta? { types[slot] }

    /// The slot whose memory a value shares: its own, or where it is a view the first of that memory.
    package func storageSlot(of slot: Int) -> Int { liveness.storage[slot] }

    /// Slots of the parameters, buffers and constants that the instructions of `range` read, in order.
    package func weightSlots(of range: Range<Int>) -> [Int] {
        Set(instructions[range].lazy.flatMap(\.reads)).filter {
            inputs.indices.contains($0) && inputs[$0].kind != .user
        }
        .sorted()
    }

    /// What the caller gave, or zeros where the graph takes those instead.
    private func value(of input: Input, _ given: [String: Tensor]) throws -> Tensor {
        if let value = given[input.slot.name] { return value }
        guard let like = input.slot.rule.zerosLike.flatMap({ given[$0] }) else {
            throw ExportedModelError.missingInput(input.slot.name)
        }
        return try .zeros(like.shape, input.dtype)
    }

    /// In the graph's type; numbers that would lose their fraction are refused.
    private func converted(_ value: Tensor, _ input: Input) throws -> Tensor {
        let dtype = value.dtype
        if dtype == input.dtype || input.dtype == .float32 && value.isNarrow { return value }
        guard input.dtype.isFloatingPoint || !dtype.isFloatingPoint else {
            throw ExportedModelError.dtype(
                name: input.slot.name, given: dtype.rawValue, expected: input.dtype.rawValue)
        }
        return try value.to(input.dtype)
    }
}
