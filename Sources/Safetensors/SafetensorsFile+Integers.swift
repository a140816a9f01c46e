extension SafetensorsFile {
    /// Hands every element of an integer tensor to `body`, in order; what is above `Int64.max` counts as that. Memory:
    /// 1 MiB.
    package func forEachInteger(of entry: TensorEntry, _ body: (Int64) -> Void) throws(SafetensorsError) {
        var position: Int64 = 0
        let width = entry.dtype.byteCount
        while true {
            let bytes = try piece(of: entry, at: position)
            guard !bytes.isEmpty else { return }
            for start in stride(from: 0, to: bytes.count, by: width) {
                body(Self.integer(bytes[start..<start + width], entry.dtype))
            }
            position += Int64(bytes.count)
        }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>, _ dtype: SafetensorsDType) -> Int64 {
        let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch dtype {
        case .i8: return Int64(Int8(truncatingIfNeeded: bits))
        case .i16: return Int64(Int16(truncatingIfNeeded: bits))
        case .i32: return Int64(Int32(truncatingIfNeeded: bits))
        case .i64: return Int64(bitPattern: bits)
        default: return Int64(clamping: bits)
        }
    }
}
