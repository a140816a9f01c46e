extension SafetensorsFile {
    /// Whether every element is 0 or 1, of whatever type. Memory: 1 MiB.
    package func holdsOnlyFlags(_ entry: TensorEntry) throws(SafetensorsError) -> Bool {
        let one = entry.dtype.one
        let zero = [UInt8](repeating: 0, count: one.count)
        var position: Int64 = 0
        while true {
            let bytes = try piece(of: entry, at: position)
            guard !bytes.isEmpty else { return true }
            for start in stride(from: 0, to: bytes.count, by: one.count) {
                let element = bytes[start..<start + one.count]
                if !element.elementsEqual(one), !element.elementsEqual(zero) { return false }
            }
            position += Int64(bytes.count)
        }
    }
}

extension SafetensorsDType {
    /// The bytes of 1.
    fileprivate var one: [UInt8] {
        switch self {
        case .f64: [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
        case .f32: [0, 0, 0x80, 0x3F]
        case .f16: [0, 0x3C]
        case .bf16: [0x80, 0x3F]
        case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .i64, .u64:
            [1] + [UInt8](repeating: 0, count: byteCount - 1)
        }
    }
}
