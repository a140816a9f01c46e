extension SafetensorsDType {
    /// The narrowest floating-point type that holds the values of both; nil where one is not of floating point.
    static func holding(_ first: SafetensorsDType, _ second: SafetensorsDType) -> SafetensorsDType? {
        guard first.isReal, second.isReal else { return nil }
        if first == second { return first }
        return first == .f64 || second == .f64 ? .f64 : .f32
    }

    /// Writes the elements in `bytes`, of this type, as the wider type `wide` to `target`; exact. As many elements as
    /// fit into both.
    func widen(_ bytes: UnsafeRawBufferPointer, to wide: SafetensorsDType, into target: UnsafeMutableRawBufferPointer) {
        guard wide != self else {
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(target.count)))
            return
        }
        let count = min(bytes.count / byteCount, target.count / wide.byteCount)
        for index in 0..<count {
            let value: Double =
                switch self {
                case .f16:
                    unsafe Double(
                        Float16(bitPattern: bytes.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)))
                case .bf16:
                    unsafe Double(
                        Float(
                            bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)) << 16))
                case .f32: unsafe Double(bytes.loadUnaligned(fromByteOffset: index &* 4, as: Float.self))
                default: unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: Double.self)
                }
            if wide == .f64 {
                unsafe target.storeBytes(of: value, toByteOffset: index &* 8, as: Double.self)
            } else {
                unsafe target.storeBytes(of: Float(value), toByteOffset: index &* 4, as: Float.self)
            }
        }
    }
}
