import Safetensors

extension SafetensorsFile {
    /// Whether every element is 0 or 1, of whatever type. Memory: 1 MiB.
    func holdsOnlyFlags(_ entry: TensorEntry) throws(SafetensorsError) -> Bool {
        let one = entry.dtype.one
        let zero = [UInt8](repeating: 0, count: one.count)
        let length = Int64(entry.bytes.count)
        var position: Int64 = 0
        while position < length {
            let count = Int(min(length - position, 1 << 20))
            var bytes = [UInt8](repeating: 0, count: count)
            unsafe try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SafetensorsError) in
                unsafe try read(entry, at: position, into: UnsafeMutableRawBufferPointer(buffer))
            }
            for start in stride(from: 0, to: count, by: one.count) {
                let element = bytes[start..<start + one.count]
                if !element.elementsEqual(one), !element.elementsEqual(zero) { return false }
            }
            position += Int64(count)
        }
        return true
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
