internal import Torch

extension DType {
    /// Whether none of `count` elements is NaN or infinite: no exponent of all ones. True for integers.
    func isFinite(_ bytes: UnsafeRawPointer, count: Int) -> Bool {
        switch self {
        case .float32: unsafe !Self.finds(0x7F80_0000 as UInt32, bytes, count)
        case .bfloat16: unsafe !Self.finds(0x7F80 as UInt16, bytes, count)
        case .float16: unsafe !Self.finds(0x7C00 as UInt16, bytes, count)
        case .float64: unsafe !Self.finds(0x7FF0_0000_0000_0000 as UInt64, bytes, count)
        case .bool, .uint8, .int8, .int16, .int32, .int64: true
        }
    }

    /// One flag over the whole run, so that the loop vectorises.
    @inline(__always)
    private static func finds<Bits: FixedWidthInteger>(
        _ exponent: Bits, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        var found: Bits = 0
        for index in 0..<count {
            let bits = unsafe bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<Bits>.size, as: Bits.self)
            found |= bits & exponent == exponent ? 1 : 0
        }
        return found != 0
    }
}
