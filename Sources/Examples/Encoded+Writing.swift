internal import Files
internal import Safetensors
internal import WorkerProtocol

extension TextEncoder.Encoded {
    /// Key of the file's metadata that says how many examples were cut, and at how many tokens.
    package static let cutKey = "cut"
    package static let maximumKey = "max-length"

    /// Writes the set as safetensors: `[examples, tokens]` int32 for each input and `labels`. The file appears whole,
    /// in place of one that was there. `maximum`: most tokens of an example.
    package func write(to path: String, maximum: Int) throws {
        let perInput = inputsHaveChoices ? choiceCount : nil
        var tensors: [Tensor] = inputs.sorted { $0.key < $1.key }.map {
            Tensor($0.key, rows: $0.value, choices: perInput)
        }
        if let choices { tensors.append(Tensor("choices", rows: choices, choices: choiceCount)) }
        switch labels {
        case .none: break
        case .classes(let classes): tensors.append(Tensor("labels", .i32, [classes.count], classes))
        case .numbers(let numbers):
            let bits = numbers.map { Int32(bitPattern: $0.bitPattern) }
            tensors.append(Tensor("labels", .f32, [numbers.count], bits))
        case .tokens(let rows): tensors.append(Tensor("labels", rows: rows))
        }
        if let answers {
            let shape = [answers.texts.count, answers.width, 2]
            tensors.append(Tensor(AnswerTensors.offsets, .i32, shape, answers.offsets))
            tensors.append(Tensor(AnswerTensors.texts, texts: try answers.texts.map { try $0.bytes() }))
        }
        let temporary = path + ".tmp"
        try? Durable.remove(temporary)
        let writer = try SafetensorsWriter(
            path: temporary, slots: tensors.map(\.slot),
            metadata: [Self.cutKey: "\(truncated)", Self.maximumKey: "\(maximum)"])
        for tensor in tensors {
            unsafe try tensor.words.withUnsafeBytes { unsafe try writer.append($0) }
        }
        _ = try writer.finish(sync: true)
        try Durable.rename(temporary, to: path)
    }

    /// Four bytes an element, in the machine's order, which is little-endian as the format's.
    private struct Tensor {
        var slot: SafetensorsWriter.Slot
        var words: [Int32]

        init(_ name: String, _ dtype: SafetensorsDType, _ shape: [Int], _ words: [Int32]) {
            slot = .init(name: name, dtype: dtype, shape: shape)
            self.words = words
        }

        /// Each text as its bytes, with zeros behind them.
        init(_ name: String, texts: [[UInt8]]) {
            let width = ((texts.map(\.count).max() ?? 0) + 3) / 4 * 4
            let words = texts.flatMap { text -> [Int32] in
                let padded = text + repeatElement(0, count: width - text.count)
                return stride(from: 0, to: width, by: 4).map { place in
                    Int32(truncatingIfNeeded: (0..<4).reduce(0) { $0 | Int(padded[place + $1]) << (8 * $1) })
                }
            }
            self.init(name, .u8, [texts.count, width], words)
        }

        /// `choices`: rows of each example, where there is an axis for them.
        init(_ name: String, rows: [[Int32]], choices: Int? = nil) {
            let examples = choices.map { [rows.count / max(1, $0), $0] } ?? [rows.count]
            self.init(name, .i32, examples + [rows.first?.count ?? 0], rows.flatMap(\.self))
        }
    }
}
