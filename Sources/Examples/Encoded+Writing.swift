internal import Files
internal import Safetensors

extension TextEncoder.Encoded {
    /// Writes the set as safetensors: `[examples, tokens]` int32 for each input and `labels`. The file appears whole,
    /// in place of one that was there.
    package func write(to path: String) throws {
        var tensors: [(slot: SafetensorsWriter.Slot, bytes: [UInt8])] = []
        for (name, rows) in inputs.sorted(by: { $0.key < $1.key }) { tensors.append(Self.tensor(name, rows)) }
        switch labels {
        case .none: break
        case .classes(let classes):
            tensors.append((.init(name: "labels", dtype: .i32, shape: [classes.count]), classes.flatMap(Self.bytes)))
        case .numbers(let numbers):
            let bytes = numbers.flatMap { Self.bytes(Int32(bitPattern: $0.bitPattern)) }
            tensors.append((.init(name: "labels", dtype: .f32, shape: [numbers.count]), bytes))
        case .tokens(let rows): tensors.append(Self.tensor("labels", rows))
        }
        let temporary = path + ".tmp"
        try? Durable.remove(temporary)
        let writer = try SafetensorsWriter(path: temporary, slots: tensors.map(\.slot))
        for tensor in tensors {
            unsafe try tensor.bytes.withUnsafeBytes { unsafe try writer.append($0) }
        }
        _ = try writer.finish(sync: true)
        try Durable.rename(temporary, to: path)
    }

    private static func tensor(
        _ name: String, _ rows: [[Int32]]
    ) -> (slot: SafetensorsWriter.Slot, bytes: [UInt8]) {
        (
            .init(name: name, dtype: .i32, shape: [rows.count, rows.first?.count ?? 0]),
            rows.flatMap { $0.flatMap(bytes) }
        )
    }

    private static func bytes(_ value: Int32) -> [UInt8] {
        let bits = UInt32(bitPattern: value)
        return [UInt8(bits & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits >> 16 & 0xFF), UInt8(bits >> 24)]
    }
}
